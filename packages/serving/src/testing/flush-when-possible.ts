import { ShippingError } from '../errors.ts';

/** Flushes a shipper that may still be failing on connections that were cut, or whose thread may be no more. @throws ShippingError when so many attempts and one more have failed */
export async function flushWhenPossible(
  shipper: { flush: () => Promise<void> },
  attempts: number,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      await shipper.flush();
      return;
    } catch (error) {
      if (!(error instanceof ShippingError)) throw error;
    }
  }
  await shipper.flush();
}
