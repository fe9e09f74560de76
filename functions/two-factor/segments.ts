/**
 * What a text message costs: its segments. Pure.
 *
 * A segment holds 140 octets (3GPP TS 23.040): 160 characters of the GSM 7-bit default alphabet, or 70 of UCS-2 as soon
 * as one character is not in it. Several segments carry 6 octets each that join them: 153 and 67 then. National
 * language tables (TS 23.038 section 6.2.1.2) are not counted with: providers do not use them.
 */

export interface Size {
  readonly encoding: 'gsm-7' | 'ucs-2';
  /** Septets or 16-bit units. */
  readonly units: number;
  readonly segments: number;
}

/** 3GPP TS 23.038 section 6.2.1, without the escape: one septet each. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** Section 6.2.1.1: an escape and a septet each. */
const EXTENSION = new Set('\f^{}\\[~]|€');

export const sizeOf = (text: string): Size => {
  const characters = [...text];
  const septets = characters.map((character) =>
    BASIC.has(character) ? 1 : EXTENSION.has(character) ? 2 : undefined,
  );
  return septets.every((count) => count !== undefined)
    ? sized('gsm-7', septets, { alone: 160, joined: 153 })
    : sized(
        'ucs-2',
        characters.map(({ length }) => length),
        { alone: 70, joined: 67 },
      );
};

/** The units of each character, none of which is cut in two by the end of a segment. */
const sized = (
  encoding: Size['encoding'],
  characters: readonly number[],
  { alone, joined }: { readonly alone: number; readonly joined: number },
): Size => {
  const units = characters.reduce((sum, count) => sum + count, 0);
  if (units <= alone) return { encoding, units, segments: 1 };
  let segments = 1;
  let used = 0;
  for (const count of characters) {
    if (used + count > joined) {
      segments += 1;
      used = 0;
    }
    used += count;
  }
  return { encoding, units, segments };
};
