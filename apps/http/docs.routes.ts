import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { sendText } from './answer.ts';
import { ClientGone } from './client-gone.ts';
import { problemPages } from './problem-pages.ts';
import type { OpenApiDocument } from './openapi.ts';

const { resolve } = createRequire(import.meta.url);
const swaggerUi = dirname(resolve('swagger-ui-dist/package.json'));
const redoc = join(dirname(resolve('redoc/package.json')), 'bundles');

/** The files of both pages, from their npm packages: nothing is loaded from anywhere else. */
const swaggerFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const REDOC_FILE = 'redoc.standalone.js';
/** Their versions change with ours only, which a reload after an hour finds. */
const ASSET_AGE_MS = 3_600_000;

const head = (at: string, title: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="${at}/favicon-32x32.png">
<style>body { margin: 0 }</style>
`;

const docsPage = (
  at: string,
  title: string,
) => `${head(at, title)}<link rel="stylesheet" href="${at}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${at}/swagger-ui-bundle.js"></script>
<script src="${at}/start.js"></script>
</body>
</html>
`;

const docsScript = (document: string) => `SwaggerUIBundle({
  url: '${document}',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

const redocPage = (title: string) => `${head('/docs', title)}</head>
<body>
<redoc spec-url="/openapi.json" disable-telemetry="true"></redoc>
<script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
`;

/** Both pages style themselves inline; their scripts are files of ours. ReDoc searches in a worker that it makes from a blob. */
const pagePolicy = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      workerSrc: ["'self'", 'blob:'],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

/** `/openapi.json`, Swagger UI at `/docs` ReDoc at `/redoc`, and the catalogue of codes at `/docs/problems`. */
export const docsRouter = (document: OpenApiDocument): Router =>
  swaggerRouter(document, '')
    .use(problemPages())
    .get('/redoc', pagePolicy, (_req, res) =>
      sendText(res, 'text/html; charset=utf-8', redocPage(document.info.title)),
    )
    .get(`/redoc/${REDOC_FILE}`, sendAsset(join(redoc, REDOC_FILE)));

/** `{under}/openapi.json`, and Swagger UI at `{under}/docs`. */
export function swaggerRouter(document: OpenApiDocument, under: string): Router {
  const json = JSON.stringify(document);
  const at = `${under}/docs`;
  const router = Router()
    .get(`${under}/openapi.json`, (_req, res) => sendText(res, 'application/json; charset=utf-8', json))
    .get(at, pagePolicy, (_req, res) =>
      sendText(res, 'text/html; charset=utf-8', docsPage(at, document.info.title)),
    )
    .get(`${at}/start.js`, (_req, res) =>
      sendText(res, 'text/javascript; charset=utf-8', docsScript(`${under}/openapi.json`)),
    );
  for (const file of swaggerFiles) router.get(`${at}/${file}`, sendAsset(join(swaggerUi, file)));
  return router;
}

const sendAsset =
  (file: string): RequestHandler =>
  (_req, res, next) => {
    res.removeHeader('Cache-Control');
    res.sendFile(file, { maxAge: ASSET_AGE_MS }, (error?: Error) => {
      if (error) next(hasGone(error) ? new ClientGone() : error);
    });
  };

/** Between two pieces of the file, or in the middle of one. */
const hasGone = (error: Error) =>
  'code' in error && /^(ECONNABORTED|ECONNRESET|EPIPE)$/.test(String(error.code));
