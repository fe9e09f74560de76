export const drive: (
  open: () => (() => Promise<unknown>) | Promise<() => Promise<unknown>>,
) => void;
