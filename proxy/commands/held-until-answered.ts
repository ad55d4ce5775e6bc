/** A handler that answers later, and whose connection takes no more requests until then. */
import type { Reply } from '../../shared/commands/reply.js';
import type { Call } from '../context.js';

/** To be called once, with the reply; the handler returns LATER. */
export function heldUntilAnswered(call: Call): (reply: Reply) => void {
  const finish = call.later();
  call.session.hold();
  return (reply) => {
    finish(reply);
    call.session.release();
  };
}
