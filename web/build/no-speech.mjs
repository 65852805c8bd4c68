// Stands in for botframework-directlinespeech-sdk, which Web Chat loads for speech over a cloud service.
export function createAdapters() {
  throw new Error('This page has no speech.');
}
