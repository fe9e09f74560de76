/** Every mode and who places by it. */
import { envoyMaglev } from './modes/envoy-maglev';
import { envoyRing } from './modes/envoy-ring';
import { haproxyConsistent } from './modes/haproxy';
import { jump } from './modes/jump';
import { modulo } from './modes/modulo';
import { nginxConsistent } from './modes/nginx';
import { nginxHash } from './modes/nginx-hash';
import { ordinal } from './modes/ordinal';
import { lookup, prefix, range } from './modes/tables';
import { twemproxyKetama, twemproxyModula } from './modes/twemproxy';
import { native } from './native';
import type { MakePlacer } from './placer';
import type { Mode } from './topology';

export const PLACERS: Readonly<Record<Mode, MakePlacer>> = {
  'nginx-consistent': nginxConsistent,
  'nginx-hash': nginxHash,
  'twemproxy-ketama': twemproxyKetama,
  'twemproxy-modula': twemproxyModula,
  'envoy-ring': envoyRing,
  'envoy-maglev': envoyMaglev,
  'haproxy-consistent': haproxyConsistent,
  jump,
  modulo,
  ordinal,
  lookup,
  prefix,
  range,
  native,
};
