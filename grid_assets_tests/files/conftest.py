"""An S3 server for the tests of this folder."""

from __future__ import annotations

from grid_assets_tests.files import s3 as server

s3, s3_server = server.s3, server.s3_server
