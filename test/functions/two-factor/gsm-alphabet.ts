/** The GSM 7-bit default alphabet as its specification prints it, and what fits into the 140 octets of a segment. */

/** 3GPP TS 23.038 section 6.2.1: a row for each value of the low four bits, a column for each of the high three. */
const TABLE = [
  '@ Δ SP 0 ¡ P ¿ p',
  '£ _ ! 1 A Q a q',
  '$ Φ " 2 B R b r',
  '¥ Γ # 3 C S c s',
  'è Λ ¤ 4 D T d t',
  'é Ω % 5 E U e u',
  'ù Π & 6 F V f v',
  "ì Ψ ' 7 G W g w",
  'ò Σ ( 8 H X h x',
  'Ç Θ ) 9 I Y i y',
  'LF Ξ * : J Z j z',
  'Ø ESC + ; K Ä k ä',
  'ø Æ , < L Ö l ö',
  'CR æ - = M Ñ m ñ',
  'Å ß . > N Ü n ü',
  'å É / ? O § o à',
];

/** Section 6.2.1.1: what an escape makes of the next septet. */
const EXTENSION: Readonly<Record<string, number>> = {
  '\u000c': 0x0a,
  '\u005e': 0x14,
  '\u007b': 0x28,
  '\u007d': 0x29,
  '\u005c': 0x2f,
  '\u005b': 0x3c,
  '\u007e': 0x3d,
  '\u005d': 0x3e,
  '\u007c': 0x40,
  '\u20ac': 0x65,
};

const NAMED: Readonly<Record<string, string>> = { SP: ' ', LF: '\n', CR: '\r' };
const ESCAPE = 0x1b;

const SEPTETS = new Map<string, readonly number[]>(
  TABLE.flatMap((row, low) =>
    row.split(' ').map((cell, high): [string, readonly number[]] => {
      const septet = high * 16 + low;
      return [NAMED[cell] ?? cell, [septet]];
    }),
  ).filter(([, [septet]]) => septet !== ESCAPE),
);
for (const [character, septet] of Object.entries(EXTENSION))
  SEPTETS.set(character, [ESCAPE, septet]);

const ALONE_BITS = 140 * 8;
/** Without the header that joins it to the others. */
const JOINED_BITS = (140 - 6) * 8;

/** A text as it is sent: in how many bits each character, and in how many segments. */
export const encoded = (text: string) => {
  const gsm = [...text].map((character) => SEPTETS.get(character));
  const isGsm = gsm.every((septets) => septets !== undefined);
  const bits = isGsm
    ? gsm.map((septets) => (septets?.length ?? 0) * 7)
    : [...text].map((character) => Buffer.from(character, 'utf16le').length * 8);
  const total = bits.reduce((sum, each) => sum + each, 0);
  return {
    encoding: isGsm ? 'gsm-7' : 'ucs-2',
    units: total / (isGsm ? 7 : 16),
    segments: total <= ALONE_BITS ? 1 : joined(bits),
  };
};

/** Characters stay whole. */
const joined = (bits: readonly number[]): number => {
  const segments = [0];
  for (const each of bits) {
    const last = segments.length - 1;
    const filled = (segments[last] ?? 0) + each;
    if (filled <= JOINED_BITS) segments[last] = filled;
    else segments.push(each);
  }
  return segments.length;
};
