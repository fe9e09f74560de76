/** What the mail and the pages say, in each language. */
import { escapeHtml } from '../../shared/html';
import type { Letter } from '../../shared/templates/letter';
import type { LinkKind } from './links';

export const LOCALES = ['en', 'de', 'es', 'fr'] as const;
export type Locale = (typeof LOCALES)[number];

export interface ConfirmationOptions {
  readonly list: string;
  readonly url: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

export const confirmation = (
  locale: Locale,
  { list, url, expiresAt }: ConfirmationOptions,
): Letter => {
  const { subject, asked, until, notYou, confirm } = WORDS[locale];
  const time = new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(expiresAt);
  return {
    locale,
    subject,
    paragraphs: [fill(asked, list), fill(until, `${time} UTC`), notYou],
    action: { label: confirm.button, url },
  };
};

/** HTML, ready to be shown. */
export const pageWords = (kind: LinkKind, locale: Locale, list: string) => {
  const { title, badTitle, [kind]: words } = WORDS[locale];
  const { ask, button, done, bad } = words;
  const shown = escapeHtml(list);
  return { title, ask: fill(ask, shown), button, done: fill(done, shown), badTitle, bad };
};

const fill = (words: string, value: string): string => words.replace('{}', () => value);

interface Words {
  readonly subject: string;
  readonly asked: string;
  readonly until: string;
  readonly notYou: string;
  readonly title: string;
  readonly badTitle: string;
  readonly confirm: LinkWords;
  readonly unsubscribe: LinkWords;
}

interface LinkWords {
  readonly ask: string;
  readonly button: string;
  readonly done: string;
  readonly bad: string;
}

const WORDS: Readonly<Record<Locale, Words>> = {
  en: {
    subject: 'Please confirm your subscription',
    asked: 'Someone, we hope you, has entered this address for the list “{}”.',
    until: 'The link is good until {}.',
    notYou: 'If it was not you, do nothing: without your confirmation there will be no mail.',
    title: 'Your subscription',
    badTitle: 'This link does not work',
    confirm: {
      ask: 'Do you want to receive the list “{}”?',
      button: 'Confirm',
      done: 'Thank you. You are on the list “{}” now.',
      bad: 'It is incomplete or too old. Please subscribe again.',
    },
    unsubscribe: {
      ask: 'Do you want to leave the list “{}”?',
      button: 'Unsubscribe',
      done: 'You are not on the list “{}” any more.',
      bad: 'It is incomplete or too old. Please take the one in the latest mail.',
    },
  },
  de: {
    subject: 'Bitte bestätigen Sie Ihr Abonnement',
    asked: 'Jemand, hoffentlich Sie selbst, hat diese Adresse für die Liste „{}“ eingetragen.',
    until: 'Der Link gilt bis {}.',
    notYou: 'Wenn Sie es nicht waren, tun Sie nichts: Ohne Ihre Bestätigung kommt keine Post.',
    title: 'Ihr Abonnement',
    badTitle: 'Dieser Link gilt nicht',
    confirm: {
      ask: 'Möchten Sie die Liste „{}“ erhalten?',
      button: 'Bestätigen',
      done: 'Danke. Sie stehen jetzt auf der Liste „{}“.',
      bad: 'Er ist unvollständig oder zu alt. Bitte melden Sie sich noch einmal an.',
    },
    unsubscribe: {
      ask: 'Möchten Sie die Liste „{}“ verlassen?',
      button: 'Abmelden',
      done: 'Sie stehen nicht mehr auf der Liste „{}“.',
      bad: 'Er ist unvollständig oder zu alt. Bitte nehmen Sie den aus der neuesten Mail.',
    },
  },
  es: {
    subject: 'Confirma tu suscripción',
    asked: 'Alguien, esperamos que tú, ha inscrito esta dirección en la lista «{}».',
    until: 'El enlace es válido hasta el {}.',
    notYou: 'Si no has sido tú, no hagas nada: sin tu confirmación no habrá ningún correo.',
    title: 'Tu suscripción',
    badTitle: 'Este enlace no es válido',
    confirm: {
      ask: '¿Quieres recibir la lista «{}»?',
      button: 'Confirmar',
      done: 'Gracias. Ya estás en la lista «{}».',
      bad: 'Está incompleto o es demasiado antiguo. Suscríbete otra vez.',
    },
    unsubscribe: {
      ask: '¿Quieres dejar la lista «{}»?',
      button: 'Darme de baja',
      done: 'Ya no estás en la lista «{}».',
      bad: 'Está incompleto o es demasiado antiguo. Usa el del último correo.',
    },
  },
  fr: {
    subject: 'Confirmez votre abonnement',
    asked: 'Quelqu’un, vous-même nous l’espérons, a inscrit cette adresse à la liste « {} ».',
    until: 'Le lien est valable jusqu’au {}.',
    notYou: 'Si ce n’est pas vous, ne faites rien : sans confirmation, vous ne recevrez rien.',
    title: 'Votre abonnement',
    badTitle: 'Ce lien n’est pas valable',
    confirm: {
      ask: 'Voulez-vous recevoir la liste « {} » ?',
      button: 'Confirmer',
      done: 'Merci. Vous êtes maintenant sur la liste « {} ».',
      bad: 'Il est incomplet ou trop ancien. Veuillez vous abonner à nouveau.',
    },
    unsubscribe: {
      ask: 'Voulez-vous quitter la liste « {} » ?',
      button: 'Me désabonner',
      done: 'Vous n’êtes plus sur la liste « {} ».',
      bad: 'Il est incomplet ou trop ancien. Veuillez prendre celui du dernier message.',
    },
  },
};
