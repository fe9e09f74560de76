/** A text as a picture for a camera. */

/**
 * A QR code (ISO/IEC 18004) as the `data:` URL of an SVG, ready to be the `src` of an `img`: error correction M, with
 * the quiet zone of four modules. Rejects with a RangeError for more than 2,331 bytes.
 */
export const qrOf = async (text: string): Promise<string> => {
  const { renderSVG } = await import('uqr');
  const svg = renderSVG(text, { ecc: 'M', border: 4, pixelSize: 1 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
};
