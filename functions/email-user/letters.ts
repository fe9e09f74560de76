/** The welcome, in each language. Plain words only: what varies is put in as text. */
import type { Letter } from '../../shared/templates/letter';

export const LOCALES = ['en', 'de', 'es', 'fr'] as const;
export type Locale = (typeof LOCALES)[number];

export interface WelcomeOptions {
  /** @default greets without one */
  readonly name: string | undefined;
  /** Where the account is. */
  readonly url: string;
}

export const welcome = (locale: Locale, { name, url }: WelcomeOptions): Letter => {
  const { hello, subject, ready, notYou, open } = WORDS[locale];
  const greeting = name === undefined ? `${hello},` : `${hello} ${name},`;
  return { locale, subject, paragraphs: [greeting, ready, notYou], action: { label: open, url } };
};

interface Words {
  readonly hello: string;
  readonly subject: string;
  readonly ready: string;
  readonly notYou: string;
  readonly open: string;
}

const WORDS: Readonly<Record<Locale, Words>> = {
  en: {
    hello: 'Hello',
    subject: 'Welcome',
    open: 'Open your account',
    ready: 'Your account is ready. We are glad that you are here.',
    notYou: 'If you did not sign up, you can ignore this mail.',
  },
  de: {
    hello: 'Hallo',
    subject: 'Willkommen',
    open: 'Zum Konto',
    ready: 'Ihr Konto ist bereit. Schön, dass Sie da sind.',
    notYou: 'Wenn Sie sich nicht angemeldet haben, können Sie diese Nachricht ignorieren.',
  },
  es: {
    hello: 'Hola',
    subject: 'Te damos la bienvenida',
    open: 'Abrir la cuenta',
    ready: 'Tu cuenta está lista. Nos alegra que estés aquí.',
    notYou: 'Si no te has registrado, puedes ignorar este mensaje.',
  },
  fr: {
    hello: 'Bonjour',
    subject: 'Bienvenue',
    open: 'Ouvrir le compte',
    ready: 'Votre compte est prêt. Nous sommes heureux de vous accueillir.',
    notYou: 'Si vous ne vous êtes pas inscrit, vous pouvez ignorer ce message.',
  },
};
