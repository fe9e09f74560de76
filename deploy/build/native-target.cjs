/**
 * Which binary of libsql fits this process, in place of `@neon-rs/load` and `detect-libc`: they make a diagnostic report
 * and load child_process, which takes longer than the rest of a start with a store.
 */
const { closeSync, openSync, readSync } = require('node:fs');

const GLIBC = 'glibc';
const MUSL = 'musl';

/** The program names its loader near its beginning: `/lib/ld-musl-x86_64.so.1`. */
const familySync = () => {
  if (process.platform !== 'linux') return null;
  const head = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  return head.includes('/ld-musl-') ? MUSL : GLIBC;
};

/** As the packages `@libsql/…` are named. */
const currentTarget = () => {
  const { platform, arch } = process;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  if (platform !== 'linux') return `${platform}-${arch}`;
  if (arch === 'arm') return 'linux-arm-gnueabihf';
  return `linux-${arch}-${familySync() === MUSL ? 'musl' : 'gnu'}`;
};

module.exports = { GLIBC, MUSL, familySync, currentTarget };
