export const tell: (to: string, code: string) => void;
