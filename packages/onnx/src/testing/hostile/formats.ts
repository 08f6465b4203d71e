import { deflateRawSync, gzipSync } from 'node:zlib';
import { atSight, type HostileFile } from './hostile-file.ts';
import { goodFile } from './good-file.ts';

/** Bytes of other formats, as far as they are needed to tell them. */
export function hostileFormats(): HostileFile[] {
  const latin = (text: string) => () => Buffer.from(text, 'latin1');
  return atSight({
    'an empty file': [() => new Uint8Array(0), /is empty/],
    'a zip bomb': [
      () => zipOf(deflateRawSync(Buffer.alloc(8 * 1024 ** 2))),
      /zip archive.*nothing is unpacked/,
    ],
    'a zip bomb in a zip': [
      () => zipOf(deflateRawSync(zipOf(deflateRawSync(Buffer.alloc(1024 ** 2))))),
      /zip archive/,
    ],
    'an empty zip': [latin(`PK\x05\x06${'\0'.repeat(18)}`), /empty zip archive/],
    'a good model in gzip': [() => gzipSync(goodFile()), /compressed with gzip; nothing is unpacked/],
    'a gzip bomb': [() => gzipSync(Buffer.alloc(8 * 1024 ** 2)), /compressed with gzip/],
    'a bzip2 file': [latin('BZh91AY&SY'), /compressed with bzip2/],
    'an xz file': [latin('\xfd7zXZ\0'), /compressed with xz/],
    'a Zstandard file': [latin('\x28\xb5\x2f\xfd\0'), /compressed with Zstandard/],
    'a 7-Zip archive': [latin('7z\xbc\xaf\x27\x1c'), /7-Zip/],
    'a tar archive': [latin(`../../etc/cron.d/job${'\0'.repeat(237)}ustar\0`), /tar archive/],
    'a pickle that runs a command': [
      latin('\x80\x04cposix\nsystem\nX\x02\0\0\0id\x85R.'),
      /Python pickle, which runs code/,
    ],
    'a pickle of the second protocol': [latin('\x80\x02}q\0.'), /Python pickle/],
    'an HDF5 file': [latin('\x89HDF\r\n\x1a\n'), /HDF5 file, as Keras writes; export the model with tf2onnx/],
    'a NumPy array': [latin('\x93NUMPY\x01\0'), /NumPy array/],
    'a Parquet file': [latin('PAR1\x15'), /Parquet file/],
    'a TensorFlow Lite model': [latin('\x1c\0\0\0TFL3'), /TensorFlow Lite/],
    'a GGUF file': [latin('GGUF\x03\0\0\0'), /GGUF/],
    'a safetensors file': [latin('\x40\0\0\0\0\0\0\0{"weight":{"dtype":"F32"}}'), /safetensors/],
    'an XGBoost model in JSON': [latin('{"learner":{}}'), /JSON.*convert_xgboost/],
    'a pointer of Git LFS': [latin('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
    'an error page': [latin('<!DOCTYPE html><title>404</title>'), /error page/],
    'a program': [latin('\x7fELF\x02\x01\x01'), /a program/],
    'a text': [latin('this is not a model'), /not an ONNX file/],
  });
}

/** A zip archive with one compressed entry, without the directory at its end: its beginning is what tells it. */
function zipOf(content: Uint8Array): Buffer {
  const name = Buffer.from('../../model.onnx');
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt32LE(0xffff_fff0, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name, content]);
}
