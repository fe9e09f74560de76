/** The query of a URL as it came, with its `?`; empty when there is none. Nothing is decoded or put in order. */
export const rawQuery = (url: string): string => /\?[^#]*/.exec(url)?.[0] ?? '';
