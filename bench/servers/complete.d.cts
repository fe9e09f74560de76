export const complete: (
  method: string,
  url: string,
  headers: Readonly<Record<string, string | null>>,
  body: unknown,
) => unknown;
