export const PEERS: Readonly<Record<string, string>>;
