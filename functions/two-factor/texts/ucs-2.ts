/** Languages whose SMS are UCS-2: 70 characters, of which the line that binds the code to its origin takes its part. */
import type { Texts } from './text';

export const ru: Texts = {
  sms: [
    (code, minutes) => `Код ${code}, ${minutes} мин. Никому не сообщайте.`,
    (code) => `Код ${code}. Никому не сообщайте.`,
    (code) => `Код ${code}`,
  ],
  subject: 'Ваш код подтверждения',
  mail: (code, minutes) =>
    `Ваш код подтверждения: ${code}.\n\nОн действует ${minutes} минут. Никому его не сообщайте. Если вы его не запрашивали, просто не обращайте внимания на это письмо.\n`,
};

export const zhHans: Texts = {
  sms: [
    (code, minutes) => `验证码 ${code}，${minutes} 分钟内有效，请勿告诉他人。`,
    (code) => `验证码 ${code}，请勿告诉他人。`,
    (code) => `验证码 ${code}`,
  ],
  subject: '您的验证码',
  mail: (code, minutes) =>
    `您的验证码是 ${code}。\n\n验证码 ${minutes} 分钟内有效，请勿告诉他人。如果您没有申请验证码，请忽略此邮件。\n`,
};

export const ar: Texts = {
  sms: [
    (code, minutes) => `رمزك ${code} صالح ${minutes} دقائق. لا تشاركه مع أحد.`,
    (code, minutes) => `رمزك ${code} صالح ${minutes} دقائق. لا تشاركه.`,
    (code) => `رمزك ${code}. لا تشاركه.`,
    (code) => `رمزك ${code}`,
  ],
  subject: 'رمز التحقق الخاص بك',
  mail: (code, minutes) =>
    `رمز التحقق الخاص بك هو ${code}.\n\nتنتهي صلاحيته بعد ${minutes} دقائق. لا تشاركه مع أحد. إذا لم تطلبه، يمكنك تجاهل هذه الرسالة.\n`,
};
