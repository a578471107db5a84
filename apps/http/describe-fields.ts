import { fieldWords } from './field-words.ts';

interface Schema {
  description?: string;
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  schema?: Schema;
}

/** Gives each field of a schema that says nothing of itself its words, and answers the names of those that have none. */
function describeFields(schema: unknown, owner: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema as Schema;
  const mute = Object.entries(properties).flatMap(([name, field]) => [
    ...describe(field, owner, name),
    ...describeFields(field, name),
  ]);
  const inner = [items, ...anyOf, ...oneOf, ...allOf].flatMap((one) => describeFields(one, owner));
  return [...mute, ...inner];
}

/** A reference has the description of what it refers to. */
function describe(field: Schema, owner: string, name: string): string[] {
  if (field.description !== undefined || field.$ref !== undefined) return [];
  const words = fieldWords[`${owner}.${name}`] ?? fieldWords[name];
  if (words === undefined) return [`${owner}.${name}`];
  field.description = words;
  return [];
}

/** The same for a parameter in path, query or header. */
function describeParameter(parameter: { name?: string; description?: string; schema?: unknown }): string[] {
  const name = parameter.name ?? '';
  const said = parameter.description ?? (parameter.schema as Schema | undefined)?.description;
  if (said !== undefined) return [];
  const words = fieldWords[`parameter.${name}`] ?? fieldWords[name];
  if (words === undefined) return [`parameter.${name}`];
  parameter.description = words;
  return [];
}

interface Operation {
  readonly parameters?: readonly { name?: string; description?: string; schema?: unknown }[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, { readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema?: unknown }>>;

/** Gives every field and parameter of a document its words, and answers the names of those that have none. */
export function describeDocument(document: object): string[] {
  const { components, paths, webhooks } = document as {
    components?: { schemas?: Record<string, unknown> };
    paths?: Record<string, Record<string, Operation>>;
    webhooks?: Record<string, Record<string, Operation>>;
  };
  const named = Object.entries(components?.schemas ?? {}).flatMap(([name, schema]) =>
    describeFields(schema, name),
  );
  const asked = Object.entries({ ...paths, ...webhooks }).flatMap(([path, methods]) =>
    Object.values(methods).flatMap((operation) => describeOperation(operation, path)),
  );
  return [...named, ...asked];
}

function describeOperation(
  { parameters = [], requestBody, responses = {} }: Operation,
  path: string,
): string[] {
  const owner = path.split('/')[1] ?? '';
  const contents = [requestBody, ...Object.values(responses)].flatMap((part) =>
    Object.values(part?.content ?? {}),
  );
  return [
    ...parameters.flatMap(describeParameter),
    ...contents.flatMap(({ schema }) => describeFields(schema, owner)),
  ];
}
