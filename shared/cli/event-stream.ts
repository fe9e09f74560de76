/** Server-sent events out of bytes, as far as the suite sends them (HTML Standard, section 9.2.6). */

export interface ServerEvent {
  /** @default 'message' */
  readonly event: string;
  readonly data: string;
}

/** Bytes that one line may have: more is no event of ours. */
const MAX_LINE = 16_777_216;

/** `alive` is called for whatever comes, comments too. Throws a TypeError for a line without an end. */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
  alive: () => void,
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let event = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    alive();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new TypeError('a line of the stream has no end');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event: event || 'message', data: data.join('\n') };
        event = '';
        data = [];
        continue;
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'event') event = value;
      if (field === 'data') data.push(value);
    }
  }
}
