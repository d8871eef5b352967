// Only the loop in which Lambda's managed Node runtime calls a handler.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { agent, hostname, port, method, path: `/2018-06-01/runtime/${path}` },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const { handler } = await import(new URL(process.argv[2], `file://${process.cwd()}/`));

for (;;) {
  const { headers, body } = await call('GET', 'invocation/next');
  const id = headers['lambda-runtime-aws-request-id'];
  try {
    const answer = await handler(JSON.parse(body));
    await call('POST', `invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    const failure = { errorType: error.name, errorMessage: error.message };
    await call('POST', `invocation/${id}/error`, JSON.stringify(failure));
  }
}
