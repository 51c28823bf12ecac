import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A package index on this machine that serves one wheel, slower and slower, and knows who still listens. */
export async function startStallingIndex(wheel: string, bytes: number) {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (!request.url!.endsWith('.whl')) {
      response.setHeader('content-type', 'text/html').end(`<a href="/files/${wheel}">${wheel}</a>`);
      return;
    }
    response.writeHead(200, { 'content-length': bytes, 'content-type': 'application/octet-stream' });
    open.add(response);
    const timer = setInterval(() => response.write(Buffer.alloc(1 << 20)), 50);
    response.once('close', () => {
      clearInterval(timer);
      open.delete(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    openDownloads: () => open.size,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
