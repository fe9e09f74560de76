/**
 * deploy/container/Dockerfile and the .dockerignore that goes with it: one image for every function, chosen by
 * FUNCTION_TARGET.
 *
 * The code cache is made by the node that runs it: V8 takes it from no other version. The last stage is distroless, so
 * there is no shell and no npm, and takes the node of the build with it. Nothing is written at run time.
 */

const NODE = '20.20.2';
const RUN_ON = 'gcr.io/distroless/cc-debian12:nonroot';
/** Files and folders of the repository that the image is made of. Nothing else is sent to who builds it. */
const LISTS = ['package.json', 'package-lock.json'];
const SOURCES = ['functions', 'shared', 'pipelines', 'deploy'];
/** Brings the SDK of Restate, an optional peer that pipelines need where instances share no disk. */
const ENGINE = 'test/peers/restate';
const INSTALL = 'npm ci --ignore-scripts --no-audit --no-fund';

export const container = function* (): Iterable<readonly [string, string]> {
  yield ['deploy/container/Dockerfile', DOCKERFILE];
  yield ['.dockerignore', DOCKERIGNORE];
};

const WRITTEN =
  '# Written by npm run manifests. Change shared/cli/manifests/container.ts, not this file.';

const DOCKERFILE = `# One image for every function: FUNCTION_TARGET says which one an instance serves.
#   docker build -f deploy/container/Dockerfile -t faas-patterns .
#   docker run --read-only --cap-drop ALL -p 8080:8080 --env-file settings.env -e FUNCTION_TARGET=add-defaults faas-patterns
${WRITTEN}
ARG NODE_VERSION=${NODE}

FROM node:\${NODE_VERSION}-bookworm-slim AS base

FROM base AS build
WORKDIR /app
COPY ${LISTS.join(' ')} ./
RUN ${INSTALL}
COPY tsconfig.json ./
${SOURCES.map((folder) => `COPY ${folder} ./${folder}/`).join('\n')}
RUN npm run build && rm -r dist/functions/*/lambda.* dist/functions/*/functions-framework.*

FROM base AS modules
WORKDIR /engine
COPY ${LISTS.map((file) => `${ENGINE}/${file}`).join(' ')} ./
RUN ${INSTALL} --omit=optional
WORKDIR /app
COPY ${LISTS.join(' ')} ./
RUN ${INSTALL} --omit=dev

FROM ${RUN_ON}
COPY --from=base /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=modules /engine/node_modules /node_modules/
COPY --from=modules /app/node_modules ./node_modules/
COPY --from=build /app/dist/node.* ./dist/
COPY --from=build /app/dist/functions ./dist/functions/
COPY --from=build /app/dist/packages ./dist/packages/
COPY pipelines ./pipelines/
ENV NODE_ENV=production
# nonroot, by number: Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 8080
# Flags of V8 would make it refuse the code cache; the platform probes /health/liveness and /health/readiness.
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/node.cjs"]
`;

const DOCKERIGNORE = `# Nothing but what the image is made of: no .git, no .data, no .env, nothing that lies about.
${WRITTEN}
*
${[...LISTS, 'tsconfig.json', ...SOURCES, ...LISTS.map((file) => `${ENGINE}/${file}`)]
  .map((name) => `!${name}`)
  .join('\n')}
**/node_modules
**/.*
`;
