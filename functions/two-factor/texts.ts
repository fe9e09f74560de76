/**
 * The words of a message, by language.
 *
 * Those for SMS stay within GSM 7-bit (3GPP TS 23.038: no á, í, ó, ú, no ç, no curly quotes) and short: one letter
 * outside turns the text into UCS-2, which takes two segments and costs twice.
 */

export interface Texts {
  readonly sms: (code: string, minutes: number) => string;
  readonly subject: string;
  readonly mail: (code: string, minutes: number) => string;
}

export const TEXTS = {
  en: {
    sms: (code, minutes) =>
      `Your code is ${code}. It expires in ${minutes} minutes. Never share it.`,
    subject: 'Your verification code',
    mail: (code, minutes) =>
      `Your verification code is ${code}.\n\nIt expires in ${minutes} minutes. Never share it. If you did not ask for it, you can ignore this message.\n`,
  },
  de: {
    sms: (code, minutes) =>
      `Ihr Code ist ${code}. Er gilt ${minutes} Minuten. Bitte nicht weitergeben.`,
    subject: 'Ihr Bestätigungscode',
    mail: (code, minutes) =>
      `Ihr Bestätigungscode ist ${code}.\n\nEr gilt ${minutes} Minuten. Bitte geben Sie ihn nicht weiter. Wenn Sie ihn nicht angefordert haben, können Sie diese Nachricht ignorieren.\n`,
  },
  fr: {
    sms: (code, minutes) =>
      `Votre code est ${code}. Il expire dans ${minutes} minutes. Ne le partagez pas.`,
    subject: 'Votre code de vérification',
    mail: (code, minutes) =>
      `Votre code de vérification est ${code}.\n\nIl expire dans ${minutes} minutes. Ne le partagez pas. Si vous ne l’avez pas demandé, ignorez ce message.\n`,
  },
  es: {
    sms: (code, minutes) => `Su clave es ${code}. Vence en ${minutes} minutos. No la comparta.`,
    subject: 'Su código de verificación',
    mail: (code, minutes) =>
      `Su código de verificación es ${code}.\n\nVence en ${minutes} minutos. No lo comparta. Si no lo ha pedido, puede ignorar este mensaje.\n`,
  },
} as const satisfies Record<string, Texts>;

/** By the primary subtag of a language tag (RFC 5646): `de-AT` is `de`. English for a language that is not here. */
export const textsFor = (locale: string | undefined): Texts => {
  const language = locale?.split('-', 1)[0]?.toLowerCase() ?? 'en';
  return Object.hasOwn(TEXTS, language) ? TEXTS[language as keyof typeof TEXTS] : TEXTS.en;
};
