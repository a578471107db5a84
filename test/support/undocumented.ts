import { CLIENT_GONE_STATUS } from '../../apps/http/client-gone.ts';

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>
  >;
}

/** What a running api has answered so far, by route, and its own OpenAPI does not name: a line each. */
export async function undocumentedAnswers(apiUrl: string): Promise<string[]> {
  const [page, document] = await Promise.all(
    ['/metrics', '/openapi.json'].map(async (path) => (await fetch(apiUrl + path)).text()),
  );
  return undocumented(page ?? '', JSON.parse(document ?? '') as Document);
}

const answered =
  /^navbat_http_request_seconds_count\{method="(?<method>\w+)",route="(?<route>[^"]+)",status="(?<status>\d+)"\}/gm;

export function undocumented(metricsPage: string, { paths }: Document): string[] {
  return [...metricsPage.matchAll(answered)].flatMap(
    ({ groups: { method = '', route = '', status = '' } = {} }) => {
      const operation = paths[route]?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
      // Nobody hears the answer to a client that is gone.
      const isNamed = status === String(CLIENT_GONE_STATUS) || (operation && status in operation.responses);
      return isNamed ? [] : [`${method} ${route} answered ${status}, which OpenAPI does not name`];
    },
  );
}
