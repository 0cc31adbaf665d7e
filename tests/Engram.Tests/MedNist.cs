using System.Formats.Tar;
using System.IO.Compression;
using Engram.Data;
using Engram.Evaluation;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests;

/// <summary>
/// MedNIST at 28 × 28 in grey (MONAI, CC BY-SA 4.0): six kinds of medical image, 1,000 of each; the last 200 of each kind test. Three
/// experiences of two kinds. Skips the test, visibly, where the archive is not there.
/// </summary>
internal static class MedNist
{
    private const int Kinds = 6;
    private const int RowBytes = 1 + (28 * 28); // label, pixels
    private const int TestShare = 5; // one in five

    private static readonly Lazy<TensorSource> s_all = new(() => Load(TestData.Shared("mednist28.tar.gz")));

    public static Experience Experience(int index, int perClass = 800) => new(index, SubsetSource.Balanced(Half(index, test: false), perClass));

    public static EvaluationSet Test(int index) => new($"pair {index}", Half(index, test: true));

    private static SubsetSource Half(int index, bool test)
    {
        var codes = s_all.Value.Codes.ToArray();
        var seen = new int[Kinds];
        return new SubsetSource(s_all.Value, [.. Enumerable.Range(0, codes.Length).Where(i =>
        {
            var isTest = ++seen[codes[i]] > 1000 - (1000 / TestShare);
            return codes[i] / 2 == index && isTest == test;
        })]);
    }

    private static TensorSource Load(string path)
    {
        using var unpacked = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var tar = new TarReader(unpacked);
        while (tar.GetNextEntry() is { } entry)
        {
            if (!entry.Name.EndsWith(".bin", StringComparison.Ordinal)) continue;
            using var bytes = new MemoryStream();
            entry.DataStream!.CopyTo(bytes);
            using var scope = NewDisposeScope();
            var rows = frombuffer(bytes.ToArray(), ScalarType.Byte).view(-1, RowBytes);
            return TensorSource.OfClasses(
                rows.narrow(1, 1, RowBytes - 1).contiguous().view(-1, 1, 28, 28).clone(),
                [.. rows.select(1, 0).contiguous().data<byte>().Select(label => (int)label)], Label.Numbers(0, Kinds));
        }
        throw new InvalidDataException(path);
    }
}
