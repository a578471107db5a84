/** RFC 8058 §3.1. Senders of mail differ in case. */
const NAME = 'list-unsubscribe';
const VALUE = 'one-click';

/** A mail program's click: the one field of the RFC, in a form or as multipart. */
export function isOneClick(body: Buffer, contentType: string | undefined): boolean {
  const text = body.toString('latin1');
  const boundary = boundaryOf(contentType ?? '');
  const fields = boundary === null ? [...new URLSearchParams(text)] : multipartFields(text, boundary);
  return fields.some(([name, value]) => name.toLowerCase() === NAME && value.toLowerCase() === VALUE);
}

/** Null for all that is no multipart: it is read as a form, which what is none has not this field in. */
function boundaryOf(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return null;
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? bare ?? null;
}

/** Of the texts in it. Names without quotes too, which the parser of Node refuses; the body is as small as a form of the page. */
const multipartFields = (text: string, boundary: string): (readonly [string, string])[] =>
  `\r\n${text}`.split(`\n--${boundary}`).flatMap((part) => {
    const [, head, value] = /^[^\n]*\n(.*?)\r?\n\r?\n(.*?)\r?$/s.exec(part) ?? [];
    const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(head ?? '')?.[1] ?? '';
    const [, quoted, bare] = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
    const name = quoted ?? bare;
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
