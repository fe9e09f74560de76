/**
 * The routes by which factors are enrolled, for our own backend: it says who the user is. Whatever an answer holds is
 * shown once: what is stored cannot be shown again.
 *
 * A repeat is a new wish: until an authenticator is confirmed, the last secret counts and those before it are void, and
 * a new set of recovery codes voids the old one. A confirmed authenticator stays until its successor is confirmed.
 */
import { readEvent } from '../../../shared/event';
import { Failure } from '../../../shared/failure';
import type { Context } from '../../../shared/handler';
import { json } from '../../../shared/http/response';
import type { Platform } from '../../../shared/platform';
import type { Check } from '../../../shared/schema';
import type { Audit } from '../audit';
import { encodeBase32 } from './base32';
import type { Seals } from './factor-record';
import type { FactorRecords } from './factor-records';
import type { Factors } from './factors';
import {
  type ConfirmInput,
  checkConfirm,
  checkEnrol,
  checkRecovery,
  type EnrolInput,
  type RecoveryInput,
} from './input';
import { createPending } from './pending';
import { qrOf } from './qr';
import { drawRecoveryCodes, type HashRecoveryCode, readRecoveryCode, SALT } from './recovery';
import { otpauthUrl, SECRET_BYTES } from './totp';

export interface EnrolmentOptions {
  readonly platform: Platform;
  readonly records: FactorRecords;
  readonly seals: Seals;
  readonly hash: HashRecoveryCode;
  /** @default the host of PUBLIC_URL */
  readonly issuer: string | undefined;
  readonly audit: Audit;
}

/** Characters; with more a picture has no room, nor a camera the patience. */
const MAX_URL = 2_000;

/** Of a user that stands for an account, so that names of any length fit. */
const MAX_ACCOUNT = 64;

const SECRET = { 'cache-control': 'no-store' };

export const createEnrolment = (options: EnrolmentOptions): Factors['routes'] => {
  const { platform, records, seals, hash, audit } = options;
  const { random } = platform;
  const pending = createPending(options);

  const read = async <T>(request: Request, context: Context, check: Check): Promise<T> =>
    (await readEvent<T>(request, context, { name: 'two-factor', check })).data;

  return {
    'POST /totp': async (request, context) => {
      const { user, account, issuer } = await read<EnrolInput>(request, context, checkEnrol);
      const secret = random.bytes(SECRET_BYTES);
      const url = otpauthUrl({
        issuer: issuer ?? options.issuer ?? plain(new URL(platform.publicUrl()).hostname),
        account: account ?? [...plain(user)].slice(0, MAX_ACCOUNT).join(''),
        secret,
      });
      if (url.length > MAX_URL)
        throw new Failure('invalid_input', {
          errors: [{ pointer: '', message: 'account and issuer are too long for a QR code' }],
        });
      const qr = await qrOf(url);
      await pending.begin(await records.claim(user), secret);
      audit(context, { type: 'factor_enrolled', user, channel: 'totp' });
      return json({ secret: encodeBase32(secret), url, qr }, { status: 201, headers: SECRET });
    },

    'POST /totp/confirm': async (request, context) => {
      const { user, code } = await read<ConfirmInput>(request, context, checkConfirm);
      const { id } = await records.byUser(user);
      if (!(await pending.confirm(id, code))) throw new Failure('verification_failed');
      audit(context, { type: 'factor_confirmed', user, channel: 'totp' });
      return json({ status: 'confirmed' }, { headers: SECRET });
    },

    'POST /recovery-codes': async (request, context) => {
      const { user } = await read<RecoveryInput>(request, context, checkRecovery);
      const codes = drawRecoveryCodes(random);
      const salt = Buffer.from(random.bytes(SALT)).toString('base64url');
      const made = await Promise.all(
        codes.map((code) => hash(readRecoveryCode(code) as string, salt)),
      );
      const id = await records.claim(user);
      const hashes = seals.close(JSON.stringify(made), 'recovery', id);
      await records.change(id, (record) => ({ ...record, recovery: { salt, hashes } }));
      audit(context, { type: 'recovery_codes_made', user });
      return json({ codes }, { status: 201, headers: SECRET });
    },
  };
};

const plain = (name: string): string => name.replaceAll(':', '.');
