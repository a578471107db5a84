# syntax=docker/dockerfile:1
# One image for every process; docker-compose.yml says which one runs. Node runs the TypeScript as it is: there is no build step.
FROM node:24.21.0-bookworm-slim AS node

FROM node AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

# What only a developer's machine has stays out of the image: the sandbox providers, the embedded servers and `npm start`.
FROM node AS source
WORKDIR /app
COPY package.json ./
COPY domain ./domain
COPY workers ./workers
COPY apps ./apps
COPY infra ./infra
RUN rm -rf apps/local apps/sandbox infra/embedded

FROM node AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=source /app ./
# Files belong to root and the process does not: it can read its own code, never change it.
USER node
EXPOSE 3000 3001 3003
CMD ["node", "apps/api/main.ts"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "infra/deploy/health.ts", "http://127.0.0.1:3000/health/ready"]

# Only for `docker compose --profile dev`.
FROM runtime AS sandbox
ENV NODE_ENV=development
USER root
RUN install -d -o node -g node /data
USER node
COPY apps/sandbox ./apps/sandbox
EXPOSE 3002
CMD ["node", "apps/sandbox/main.ts"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "infra/deploy/health.ts", "http://127.0.0.1:3002/health"]

# The last stage is the default target.
FROM runtime
