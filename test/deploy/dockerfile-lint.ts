/**
 * What a Dockerfile of ours may not do. The numbers are those of hadolint's rules, where it has one
 * (https://github.com/hadolint/hadolint/wiki); the others are about Node and about what Kubernetes asks for.
 */
import { type Instruction, parseDockerfile } from './dockerfile';

interface Stage {
  readonly from: Instruction;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

type Rule = readonly [name: string, find: (stages: readonly Stage[]) => readonly Instruction[]];

const every =
  (wanted: string, isWrong: (instruction: Instruction) => boolean) => (stages: readonly Stage[]) =>
    stages.flatMap(({ instructions }) =>
      instructions.filter((instruction) => instruction.name === wanted && isWrong(instruction)),
    );

const lastOf = (stages: readonly Stage[], name: string) =>
  stages.at(-1)?.instructions.findLast((instruction) => instruction.name === name);

/** Wrong when there is none, or when it is. */
const finally_ =
  (name: string, isRight: (instruction: Instruction) => boolean) => (stages: readonly Stage[]) => {
    const found = lastOf(stages, name);
    const from = stages.at(-1)?.from as Instruction;
    return found && isRight(found) ? [] : [found ?? from];
  };

const isStage = (stages: readonly Stage[], name: string) =>
  stages.some((stage) => stage.name === name);

const RULES: readonly Rule[] = [
  ['DL3000 a working directory is absolute', every('WORKDIR', ({ rest }) => !rest.startsWith('/'))],
  ['DL3003 WORKDIR and not cd', every('RUN', ({ rest }) => /(^|[;&|]\s*)cd\s/.test(rest))],
  ['DL3004 no sudo', every('RUN', ({ rest }) => /\bsudo\b/.test(rest))],
  [
    'DL3006, DL3007 an image has a tag, and not latest',
    (stages) =>
      stages.flatMap(({ from }) =>
        isStage(stages, from.words[0] as string) ||
        /:(?!latest$)[\w.-]+$|@sha256:/.test(from.words[0] ?? '')
          ? []
          : [from],
      ),
  ],
  [
    'DL3011 a port is one',
    every('EXPOSE', ({ rest }) => !(/^\d+$/.test(rest) && Number(rest) < 65_536)),
  ],
  ['DL3020 COPY and not ADD', every('ADD', () => true)],
  [
    'DL3021 several sources go into a folder',
    every('COPY', ({ words }) => words.length > 2 && !words.at(-1)?.endsWith('/')),
  ],
  [
    'DL3022, DL3023 what is copied comes from a stage before',
    (stages) =>
      stages.flatMap(({ instructions }, i) =>
        instructions.filter(
          ({ name, flags }) =>
            name === 'COPY' && flags.from !== undefined && !isStage(stages.slice(0, i), flags.from),
        ),
      ),
  ],
  [
    'DL3024 each stage has a name of its own',
    (stages) =>
      stages
        .filter(({ name }, i) => name && stages.findIndex((one) => one.name === name) !== i)
        .map(({ from }) => from),
  ],
  ['DL3027 nothing is installed by apt', every('RUN', ({ rest }) => /\bapt(-get)?\b/.test(rest))],
  ['DL4000 no MAINTAINER', every('MAINTAINER', () => true)],
  [
    'DL4003, DL4004 one way to start',
    (stages) => {
      const starts = stages.flatMap(({ instructions }) =>
        instructions.filter(({ name }) => name === 'CMD' || name === 'ENTRYPOINT'),
      );
      return starts.length === 1 ? [] : [starts[1] ?? (stages.at(-1)?.from as Instruction)];
    },
  ],
  ['DL4001 nothing is fetched by hand', every('RUN', ({ rest }) => /\b(curl|wget)\b/.test(rest))],
  [
    'exactly what the lockfile says is installed, and no script of a package is run',
    every('RUN', ({ rest }) =>
      /\bnpm (?:i|install|add)\b|\b(?:yarn|pnpm)\b|\bnpm ci\b(?!.*--ignore-scripts)/.test(rest),
    ),
  ],
  [
    'npx starts nothing: it costs more than the rest of a start',
    (stages) =>
      stages.flatMap(({ instructions }) => instructions.filter(({ rest }) => /\bnpx\b/.test(rest))),
  ],
  [
    'DL3025 the last stage starts node itself, in JSON form: no shell and no npm stands before the signals',
    finally_('ENTRYPOINT', ({ isJson, words }) => isJson && /\/node$/.test(words[0] ?? '')),
  ],
  [
    'no flag of V8 makes it refuse the code cache',
    finally_('ENTRYPOINT', ({ words }) => words.length === 2),
  ],
  [
    'DL3002 the last user is not root, by number',
    finally_('USER', ({ rest }) => /^[1-9]\d*:[1-9]\d*$/.test(rest)),
  ],
  [
    'production, which closes what is open in development',
    finally_('ENV', ({ rest }) => /\bNODE_ENV=production\b/.test(rest)),
  ],
  [
    'nothing is run in the last stage, which has no shell',
    (stages) => (stages.at(-1)?.instructions ?? []).filter(({ name }) => name === 'RUN'),
  ],
  [
    'no secret in the image',
    (stages) =>
      stages.flatMap(({ instructions }) =>
        instructions.filter(
          ({ name, rest }) => /^(ENV|ARG)$/.test(name) && /(KEY|SECRET|TOKEN|PASSWORD)/i.test(rest),
        ),
      ),
  ],
  [
    'the platform asks for health, not the engine',
    (stages) =>
      stages.flatMap(({ instructions }) =>
        instructions.filter(({ name }) => name === 'HEALTHCHECK'),
      ),
  ],
  [
    'the lists of packages are copied before the sources, so that a change of these installs nothing',
    (stages) =>
      stages.flatMap(({ instructions }) => {
        const install = instructions.findIndex(({ rest }) => /\bnpm ci\b/.test(rest));
        return instructions
          .slice(0, Math.max(install, 0))
          .filter(({ name, words }) => name === 'COPY' && !words.slice(0, -1).every(isList));
      }),
  ],
];

const isList = (source: string): boolean => /(^|\/)package(-lock)?\.json$/.test(source);

/** Each broken rule with its line, as `12 DL3020 …`. */
export const lintDockerfile = (text: string): readonly string[] => {
  const stages: { from: Instruction; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const instruction of parseDockerfile(text)) {
    if (instruction.name === 'FROM')
      stages.push({ from: instruction, name: instruction.words[2], instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  return RULES.flatMap(([name, find]) => find(stages).map(({ line }) => `${line} ${name}`));
};
