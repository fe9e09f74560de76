export const INPUT: Readonly<Record<string, unknown>>;
