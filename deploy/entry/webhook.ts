/** `require('faas-patterns/webhook')`: for the receivers of our webhooks, whatever they are built with. */
export {
  type VerifiedWebhook,
  type VerifyWebhookRequestOptions,
  verifyWebhook,
} from '../../shared/webhook/verify';
