"""Files in an S3-compatible object store: written once, never over another, and given up soon where the store is away."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

# Whoever waits for a store that is away is told so instead.
CONNECT_WITHIN, READ_WITHIN = 3, 15  # seconds


class ObjectStorage(S3Storage):
    """A bucket that nobody else writes: `STORAGE_URL` names it (`pbxadmin.settings.addresses`). Imported only where that is set.

    Its key needs to get, put, delete and list objects.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """What holds for every store; no variable of the environment has a say."""
        settings: dict[str, Any] = super().get_default_settings()
        return settings | {
            "file_overwrite": False,
            "client_config": Config(
                connect_timeout=CONNECT_WITHIN,
                read_timeout=READ_WITHIN,
                retries={"total_max_attempts": 2, "mode": "standard"},
                # Host names of buckets need a certificate of their own, which stores other than Amazon's rarely have.
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                # Older stores know nothing of checksums behind the content.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }

    def _save(self, name: str, content: Any) -> str:
        """One request that writes a whole object where there is none; raises `FileExistsError` where there is one."""
        content.seek(0)
        asked = {"Bucket": self.bucket_name, "Key": self._normalize_name(name), "Body": content.read()}
        client = self.connection.meta.client
        try:
            client.put_object(**asked, IfNoneMatch="*", ContentType="application/octet-stream")
        except ClientError as error:
            said = error.response.get("Error", {}).get("Code", "")
            # A store without conditional writes: that nothing was there is known already.
            if said == "NotImplemented":
                client.put_object(**asked, ContentType="application/octet-stream")
            elif said == "PreconditionFailed":
                raise FileExistsError(name) from error
            else:
                raise
        return name
