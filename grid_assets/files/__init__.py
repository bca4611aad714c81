"""Where files for readers go: a folder of this machine, or a bucket of an object store.

Modules but `bucket` import nothing slow, and `bucket` is imported only for a bucket.
"""
