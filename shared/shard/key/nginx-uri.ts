/**
 * nginx's `$uri`: decoded, slashes merged, `.` and `..` followed. Source: ngx_http_parse_complex_uri. In and out one
 * character stands for a byte.
 */

/** `undefined`: nginx answers 400, for a `%` without two hex digits, a zero byte, or a way above the root. */
export const nginxUri = (path: string): string | undefined => {
  if (isPlain(path)) return path;
  const decoded = decodeBytes(path);
  return decoded === undefined ? undefined : followed(decoded);
};

/** Nothing of it would change. */
const isPlain = (path: string): boolean => {
  for (let at = 0; at < path.length; at++) {
    const unit = path.charCodeAt(at);
    if (unit === PERCENT) return false;
    if (unit !== SLASH) continue;
    const next = path.charCodeAt(at + 1);
    if (next === SLASH || next === DOT) return false;
  }
  return true;
};

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

const decodeBytes = (path: string): string | undefined => {
  let isBroken = false;
  const decoded = path.replace(/%([\da-f]{2})?/gi, (_, digits?: string) => {
    if (digits === undefined || digits === '00') {
      isBroken = true;
      return '';
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
  return isBroken ? undefined : decoded;
};

/** Whatever ends in a step that leads nowhere else ends in a slash. */
const followed = (path: string): string | undefined => {
  const steps = path.split('/');
  const way: string[] = [];
  for (const step of steps) {
    if (step === '..') {
      if (way.pop() === undefined) return undefined;
    } else if (step !== '' && step !== '.') way.push(step);
  }
  const last = steps.at(-1);
  const isFolder = last === '' || last === '.' || last === '..';
  return way.length === 0 ? '/' : `/${way.join('/')}${isFolder ? '/' : ''}`;
};
