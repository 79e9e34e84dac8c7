"""Fact sheet section 14: media sets as datasets of raw files."""

from __future__ import annotations

import io
import json

import pytest

from transforms.api import Input, Output, incremental, transform, transform_df, transform_pandas
from transforms.errors import (
    MediaItemError,
    ModeAfterWriteError,
    NotAvailableError,
    PathError,
    TransformTypeError,
    UnknownArgumentError,
    WriteArgumentError,
    WriteModeError,
)
from transforms.mediasets import MediaSetInput, MediaSetOutput
from transforms.mediasets.inputs import MediaSetInputParam
from transforms.mediasets.outputs import MediaSetOutputParam

FILES = {"a.pdf": b"%PDF a", "deep/b.png": b"png", "_hidden": b""}


def test_items_are_read_listed_and_copied_on_one_node(store, run):
    store.store_files("/media", FILES)
    seen = {}

    @transform.using(source=MediaSetInput("/media"), target=MediaSetOutput("/copy"), out=Output("/list"))
    def compute(source, target, out):
        listing = source.list_media_items_by_path_with_media_reference().pandas()
        seen["paths"] = list(listing["path"])
        rid = source.get_media_item_rid_by_path("a.pdf").item
        seen["rid"] = rid == listing["mediaItemRid"][0]
        seen["reference"] = json.loads(listing["mediaReference"][1])
        seen["polars"] = source.list_media_items_by_path().polars().columns
        with source.get_media_item(rid) as item, source.get_media_item_by_path("deep/b.png") as other:
            seen["bytes"] = (item.read(), other.read())
        metadata = source.get_media_item_metadata(rid)
        seen["metadata"] = (metadata.path, metadata.size_bytes, metadata.media_type)
        answer = target.put_media_item(io.BytesIO(b"new"), "new.txt")
        target.fast_copy_media_item(source, rid, "copied.pdf")
        seen["template"] = json.loads(target.media_reference_template().format(answer.media_item_rid))
        out.write_table(source.list_media_items_by_path().arrow())

    run(compute)
    assert seen["paths"] == ["a.pdf", "deep/b.png"]
    assert seen["rid"]
    assert seen["polars"] == ["mediaItemRid", "path"]
    assert seen["bytes"] == (b"%PDF a", b"png")
    assert seen["metadata"] == ("a.pdf", 6, "application/pdf")
    assert seen["reference"]["mimeType"] == "image/png"
    item = seen["template"]["reference"]["mediaSetViewItem"]["mediaItemRid"]
    assert item.startswith("ri.mio.main.media-item.")
    assert store.get_files("/copy") == {"new.txt": b"new", "copied.pdf": b"%PDF a"}


@pytest.mark.nightly
def test_items_are_opened_and_put_on_workers(store, run, spark, rows):
    store.store_files("/media", FILES)
    store.store_files("/raw", {"x.txt": "x"})

    @transform(source=MediaSetInput("/media"), raw=Input("/raw"), target=MediaSetOutput("/copy"), out=Output("/out"))
    def compute(ctx, source: MediaSetInputParam, raw, target: MediaSetOutputParam, out):
        def measure(row):
            with source.get_media_item(row.mediaItemRid) as item:
                content = item.read()
            target.put_media_item(io.BytesIO(content), row.path)
            return row.path, len(content)

        listing = source.list_media_items_by_path(ctx)
        target.put_dataset_files(raw)
        out.write_dataframe(listing.rdd.map(measure).toDF(["path", "size"]).coalesce(1))

    run(compute)
    assert rows("/out") == [("a.pdf", 6), ("deep/b.png", 3)]
    assert store.get_files("/copy") == {"a.pdf": b"%PDF a", "deep/b.png": b"png", "x.txt": b"x"}


def test_increments_list_new_items_only(store, run):
    seen = []
    store.store_files("/media", {"a": b"1"})

    @incremental(v2_semantics=True)
    @transform.using(source=MediaSetInput("/media"), target=MediaSetOutput("/copy", should_snapshot=False))
    def compute(source, target):
        seen.append([list(source.dataframe(mode=m)["path"]) for m in (None, "added", "previous", "current")])

    run(compute)
    store.store_files("/media", {"b": b"2"}, append=True)
    run(compute)
    assert seen == [[["a"], ["a"], [], ["a"]], [["b"], ["b"], ["a"], ["a", "b"]]]


def test_an_empty_media_set_lists_texts_and_modes_say_what_stays(store, run):
    store.store_files("/media", {})
    seen = []

    @transform.using(source=MediaSetInput("/media", batch_limit=3), out=Output("/list"))
    def listing(source, out):
        both = (source.list_media_items_by_path(), source.list_media_items_by_path_with_media_reference())
        seen.extend({str(t) for t in found.polars().dtypes} for found in both)
        seen.extend({str(t) for t in found.arrow().schema.types} for found in both)
        out.write_table(both[0].arrow())

    run(listing)
    assert seen == [{"String"}, {"String"}, {"string"}, {"string"}]
    stays = []
    for snapshot in (None, False, True):
        target = MediaSetOutput("/kept", should_snapshot=snapshot)
        run(transform.using(o=target)(lambda o, name=str(snapshot): o.put_media_item(b"x", name)))
        stays.append(sorted(store.get_files("/kept")))
    assert stays == [["None"], ["False", "None"], ["True"]]


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda i, o: i.get_media_item_by_path("a.pfd"), MediaItemError, "Did you mean 'a.pdf'"),
        (lambda i, o: i.get_media_item("ri.none"), MediaItemError, "no item 'ri.none'"),
        (lambda i, o: i.transform_document_to_jpg("rid", 1), NotAvailableError, "Foundry's media service"),
        (lambda i, o: i.transform().resize(1, 1), NotAvailableError, "docs/fidelity.md"),
        (lambda i, o: o.write(None), NotAvailableError, "media service"),
        (lambda i, o: o.set_write_mode("append"), WriteModeError, "replace, modify"),
        (lambda i, o: [o.put_media_item(b"x", "x"), o.set_write_mode("modify")], ModeAfterWriteError, "first write"),
        (lambda i, o: o.put_media_item(io.StringIO("x"), "x"), WriteArgumentError, "open the file in mode 'rb'"),
        (lambda i, o: o.put_media_item("x.pdf", "x"), WriteArgumentError, "takes an opened file, got str"),
        (lambda i, o: o.put_media_item(b"x", "../x"), PathError, "may not contain '..'"),
        (lambda i, o: MediaSetInput("/m", limit=3), UnknownArgumentError, "Did you mean 'batch_limit'"),
        (lambda i, o: MediaSetInput("/m", batch_limit="3"), TransformTypeError, "batch_limit of MediaSetInput"),
    ],
)
def test_wrong_or_unavailable_use(store, run, act, error, says):
    store.store_files("/media", FILES)
    with pytest.raises(error) as caught:
        run(transform.using(i=MediaSetInput("/media"), o=MediaSetOutput("/o"))(lambda i, o: act(i, o)))
    assert says in str(caught.value)


def test_a_media_set_is_no_frame(store, run):
    store.store_files("/media", FILES)
    for made in (
        transform_df(Output("/o"), i=MediaSetInput("/media")),
        transform_pandas(Output("/o"), i=MediaSetInput("/media")),
    ):
        with pytest.raises(TransformTypeError, match="is a media set, which is no frame; use @transform"):
            run(made(lambda i: i))
