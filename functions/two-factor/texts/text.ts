/** What the words of a message are in any language. */

/** The forms that follow the number in Russian and Arabic hold from 5 to 10 minutes. */
export type Say = (code: string, minutes: number) => string;

export interface Texts {
  /**
   * From the fullest to the barest, for hosts that leave less and less room: the code, for how long, and never to share
   * it; the code and never to share it; the code. The code once, in ASCII digits, and nothing that looks like a link.
   */
  readonly sms: readonly [Say, ...Say[]];
  /** Without the code: it shows on locked screens. */
  readonly subject: string;
  /** Says what to do without having asked for it too. */
  readonly mail: Say;
}

/** All that is left for the longest hosts. */
export const bare: Say = (code) => code;
