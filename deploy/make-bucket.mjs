// Makes the bucket S3_BUCKET at S3_ENDPOINT where it is missing: the platform itself only uses buckets that are there.
import { createRequire } from 'node:module';

// The client is a dependency of the storage package, which npm may have put beside it.
const { Client } = createRequire(new URL('../packages/storage/package.json', import.meta.url))('minio');

const required = (name) => {
  const value = process.env[name] ?? '';
  if (value === '') throw new Error(`${name} is not set.`);
  return value;
};

try {
  const endpoint = new URL(required('S3_ENDPOINT'));
  const bucket = required('S3_BUCKET');
  const client = new Client({
    endPoint: endpoint.hostname,
    useSSL: endpoint.protocol === 'https:',
    ...(endpoint.port === '' ? {} : { port: Number(endpoint.port) }),
    accessKey: required('S3_ACCESS_KEY'),
    secretKey: required('S3_SECRET_KEY'),
  });
  if (!(await client.bucketExists(bucket)))
    await client.makeBucket(bucket, process.env.S3_REGION || 'us-east-1');
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
