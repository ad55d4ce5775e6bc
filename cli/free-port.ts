import { type AddressInfo, createServer } from 'node:net';
import { OperatingError } from '../shared/errors.js';

/** A port on which nobody listens at this moment. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      reject(new OperatingError('E_LISTEN', `cannot listen on ${host}: ${error.message}`, { cause: error })),
    );
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
