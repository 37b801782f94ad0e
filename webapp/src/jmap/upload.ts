// Sends bytes with progress, which fetch does not tell.
import { Problem } from '../api/client';
import type { UploadResponse } from './types';

export type UploadProgress = (sent: number, total: number) => void;

/** Posts a blob; rejects with a problem, or with the signal's reason. */
export function upload(
  url: string,
  body: Blob,
  headers: Record<string, string>,
  progress?: UploadProgress,
  signal?: AbortSignal,
): Promise<UploadResponse> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.setRequestHeader('Content-Type', body.type || 'application/octet-stream');
    request.responseType = 'json';
    request.upload.onprogress = (event) => progress?.(event.loaded, event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as UploadResponse);
      else reject(refused(request));
    };
    request.onerror = () => reject(new Problem(0, 'offline', ''));
    request.onabort = () => reject(signal?.reason ?? new DOMException('', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    if (signal?.aborted) return reject(signal.reason);
    request.send(body);
  });
}

function refused(request: XMLHttpRequest): Problem {
  const body = (request.response ?? {}) as { kind?: string; type?: string; detail?: string };
  return new Problem(request.status, body.kind ?? body.type ?? 'serverFail', body.detail ?? '');
}
