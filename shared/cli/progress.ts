/**
 * How a run goes on, as it is told: on a terminal one screen, drawn anew at each change; into a pipe a line for each
 * change of a step; for machines each state of the run as a line of JSON.
 */
import type { Run } from '../pipeline/run';
import type { FullIo, Terminal } from './io';
import { colourOf, describeStep } from './step-text';
import { oneLine, painter } from './text';

export interface Progress {
  show(run: Run): void;
  /** A line of its own, on stderr. */
  note(text: string): void;
}

export const progressFor = (io: FullIo, { json }: { readonly json: boolean }): Progress => {
  const note = (text: string) => io.stderr(`${oneLine(text)}\n`);
  if (json) return { show: (run) => io.stdout(`${JSON.stringify(run)}\n`), note };
  const { stdout: terminal } = io.terminals;
  return terminal && io.environment.TERM !== 'dumb'
    ? screen(io, terminal, note)
    : { show: lines(io), note };
};

const lines = (io: FullIo): Progress['show'] => {
  const seen = new Map<string, string>();
  return ({ steps }) => {
    const width = widthOf(steps);
    for (const [name, step] of Object.entries(steps)) {
      const words = describeStep(step);
      if ((seen.get(name) ?? 'pending') !== words)
        io.stdout(`${oneLine(`  ${name.padEnd(width)}  ${words}`)}\n`);
      seen.set(name, words);
    }
  };
};

const UP = (many: number) => (many > 0 ? `\u001b[${many}A` : '');
const ERASE_BELOW = '\u001b[0J';

/** What is taller than the terminal cannot be drawn over, and is told in lines. */
const screen = (io: FullIo, terminal: Terminal, note: Progress['note']): Progress => {
  const paint = painter(terminal, io);
  const plain = lines(io);
  let drawn = 0;
  return {
    show: (run) => {
      const steps = Object.entries(run.steps);
      if (steps.length + 1 >= terminal.rows) return plain(run);
      const width = widthOf(run.steps);
      const text = steps.map(([name, step]) => {
        const line = oneLine(`  ${name.padEnd(width)}  ${describeStep(step)}`);
        return `${paint(colourOf(step), line.slice(0, Math.max(1, terminal.columns - 1)))}\n`;
      });
      io.stdout(`${UP(drawn)}\r${ERASE_BELOW}${text.join('')}`);
      drawn = steps.length;
    },
    note: (text) => {
      note(text);
      // What stands above it now stays.
      drawn = 0;
    },
  };
};

const widthOf = (steps: Run['steps']): number =>
  Math.max(0, ...Object.keys(steps).map((name) => name.length));
