import { asFailure } from '../../../shared/failure';
import { readBytes } from '../../../shared/http/body';

/** Gives a body back, inflated, up to the limit that `x-limit` names. */
export default {
  fetch: async (request: Request): Promise<Response> => {
    try {
      const bytes = await readBytes(request, Number(request.headers.get('x-limit')));
      return new Response(bytes as Uint8Array<ArrayBuffer>);
    } catch (thrown) {
      const { code, cause } = asFailure(thrown);
      return Response.json({ code, cause: String(cause) }, { status: 400 });
    }
  },
};
