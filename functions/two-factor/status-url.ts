/**
 * Where a provider reports what became of a message. The address names the message by a sealed text: a challenge's id
 * is a capability, and a provider has no business with it.
 */
import type { Platform } from '../../shared/platform';
import { open, seal } from '../../shared/seal';

const BINDING = 'status';

export const statusUrl = (platform: Platform, challenge: string, n: number): string => {
  const sealed = seal(
    platform.keys('two-factor seal'),
    platform.random,
    `${challenge}.${n}`,
    BINDING,
  );
  return `${platform.publicUrl()}/two-factor/status?message=${sealed}`;
};

/** The message that such an address names; `undefined` when it is none of ours. */
export const readStatusUrl = (
  platform: Pick<Platform, 'keys'>,
  query: URLSearchParams,
): { readonly challenge: string; readonly n: number } | undefined => {
  const text = open(platform.keys('two-factor seal'), query.get('message') ?? '', BINDING);
  const [challenge, n] = text?.split('.') ?? [];
  return challenge && n ? { challenge, n: Number(n) } : undefined;
};
