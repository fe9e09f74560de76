/**
 * Languages whose SMS stay within the GSM 7-bit default alphabet (3GPP TS 23.038), by words that need no other letter:
 * no á, í, ó, ú, ã, õ, ê, no small ç, no ğ, ı, ş, no curly quotes. One such letter would leave 70 characters of 160.
 */
import { bare, type Texts } from './text';

export const en: Texts = {
  sms: [
    (code, minutes) => `Your code is ${code}. It expires in ${minutes} minutes. Never share it.`,
    (code) => `Code ${code}. Never share it.`,
    bare,
  ],
  subject: 'Your verification code',
  mail: (code, minutes) =>
    `Your verification code is ${code}.\n\nIt expires in ${minutes} minutes. Never share it with anyone. If you did not ask for it, you can ignore this message.\n`,
};

export const de: Texts = {
  sms: [
    (code, minutes) =>
      `Ihr Code ist ${code}. Er gilt ${minutes} Minuten. Geben Sie ihn nie weiter.`,
    (code) => `Code ${code}. Nie weitergeben.`,
    bare,
  ],
  subject: 'Ihr Bestätigungscode',
  mail: (code, minutes) =>
    `Ihr Bestätigungscode ist ${code}.\n\nEr gilt ${minutes} Minuten. Geben Sie ihn nie weiter. Wenn Sie ihn nicht angefordert haben, können Sie diese Nachricht ignorieren.\n`,
};

export const fr: Texts = {
  sms: [
    (code, minutes) =>
      `Votre code est ${code}. Il expire dans ${minutes} minutes. Ne le communiquez jamais.`,
    (code) => `Code ${code}. Ne le communiquez jamais.`,
    bare,
  ],
  subject: 'Votre code de vérification',
  mail: (code, minutes) =>
    `Votre code de vérification est ${code}.\n\nIl expire dans ${minutes} minutes. Ne le communiquez jamais. Si vous ne l’avez pas demandé, vous pouvez ignorer ce message.\n`,
};

export const es: Texts = {
  sms: [
    (code, minutes) =>
      `Su clave es ${code}. Vence en ${minutes} minutos. No la comparta con nadie.`,
    (code) => `Clave ${code}. No la comparta con nadie.`,
    bare,
  ],
  subject: 'Su código de verificación',
  mail: (code, minutes) =>
    `Su código de verificación es ${code}.\n\nVence en ${minutes} minutos. No lo comparta con nadie. Si no lo ha pedido, puede ignorar este mensaje.\n`,
};

export const pt: Texts = {
  sms: [
    (code, minutes) => `O seu PIN é ${code}. Expira em ${minutes} minutos. Nunca o diga a ninguém.`,
    (code) => `PIN ${code}. Nunca o diga a ninguém.`,
    bare,
  ],
  subject: 'O seu código de verificação',
  mail: (code, minutes) =>
    `O seu código de verificação é ${code}.\n\nExpira em ${minutes} minutos. Nunca o diga a ninguém. Se não o pediu, pode ignorar esta mensagem.\n`,
};

export const tr: Texts = {
  sms: [
    (code, minutes) =>
      `Onay kodunuz: ${code}. Süresi ${minutes} dakika sonra dolar. Kimseye vermeyin.`,
    (code) => `Kodunuz: ${code}. Kimseye vermeyin.`,
    bare,
  ],
  subject: 'Doğrulama kodunuz',
  mail: (code, minutes) =>
    `Doğrulama kodunuz: ${code}.\n\nKod ${minutes} dakika geçerlidir. Kimseyle paylaşmayın. Bu kodu siz istemediyseniz bu iletiyi dikkate almayın.\n`,
};
