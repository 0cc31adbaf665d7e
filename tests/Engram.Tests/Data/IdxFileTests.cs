using System.IO.Compression;
using Engram.Data;

namespace Engram.Tests.Data;

public sealed class IdxFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-idx").FullName;

    [Fact]
    public void Mnist_of_the_repository_is_the_published_one()
    {
        Assert.Equal(60_000, TestData.Mnist.Train.Count);
        Assert.Equal(10_000, TestData.Mnist.Test.Count);
        Assert.Equal([1, 28, 28], TestData.Mnist.Train.InputShape);
        Assert.Equal(TorchSharp.torch.ScalarType.Byte, TestData.Mnist.Train.InputType);
        // The published class counts of the training set.
        int[] expected = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
        var counts = new int[10];
        foreach (var code in TestData.Mnist.Train.Codes.Span) counts[code]++;
        Assert.Equal(expected, counts);
    }

    [Fact]
    public void The_first_training_digit_is_the_well_known_five()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var batch = TestData.Mnist.Train.Gather([0]);
        Assert.Equal(5, batch.Targets.item<long>());
        Assert.Equal(27525, batch.Inputs.sum(TorchSharp.torch.ScalarType.Int64).item<long>());
    }

    [Fact]
    public void A_plain_file_reads_as_its_gzipped_form_does()
    {
        var (sizes, values) = IdxFile.Read(Write(Small()), 3);
        Assert.Equal([2, 2, 3], sizes);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (byte)i), values);
        Assert.Equal(values, IdxFile.Read(Write(Zip(Small()), "small.gz"), 3).Values);
    }

    [Fact]
    public void A_few_bytes_of_gzip_are_not_unpacked_into_far_more()
    {
        byte[] bomb = [0, 0, 8, 3, 0, 0, 0x80, 0, 0, 0, 0, 28, 0, 0, 0, 28, .. new byte[32768 * 28 * 28]];
        var path = Write(Zip(bomb), "bomb.gz"); // 25 MB in 25 kB
        bomb = [];
        using var scope = TorchSharp.torch.NewDisposeScope();
        Action[] readers =
        [
            () => IdxFile.Read(path, 3),
            () => SampleFile.Read(path, [1, 28, 28], TorchSharp.torch.ScalarType.Byte),
            () => SampleFile.Read(path, [1, 2, 2], TorchSharp.torch.ScalarType.Byte),
        ];
        foreach (var read in readers)
        {
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains("expected", Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 1_000_000);
        }
    }

    [Theory]
    [InlineData(0, "truncated in its header")]
    [InlineData(10, "truncated in its header")]
    [InlineData(20, "truncated in its values")]
    public void A_truncated_file_is_refused_by_name(int length, string what)
    {
        var path = Write(Small()[..length]);
        var problem = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path, 3));
        Assert.StartsWith(path, problem.Message, StringComparison.Ordinal);
        Assert.Contains(what, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_magic_wrong_sizes_surplus_and_a_wrong_checksum_are_refused()
    {
        Refuses("magic", content => content[2] = 0x0d);
        Refuses("not possible", content => content[4] = 0x80);
        Refuses("truncated", content => content[4] = 0x08); // announces 805,306,380 bytes
        Refuses("more than", _ => { }, surplus: 1);
        var path = Write(Small());
        Assert.Contains("checksum", Assert.Throws<InvalidDataException>(
            () => IdxFile.Read(path, 3, new string('0', 64))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_gzip_data_is_refused_by_name()
    {
        var zipped = Zip(Small());
        for (var i = 10; i < zipped.Length - 8; i++) zipped[i] ^= 0x55;
        var path = Write(zipped, "bad.gz");
        var problem = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path, 3));
        Assert.StartsWith(path, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_of_mnist_is_named() =>
        Assert.Contains("train-images-idx3-ubyte", Assert.Throws<FileNotFoundException>(
            () => Mnist.Load(_folder)).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, true);

    private void Refuses(string what, Action<byte[]> damage, int surplus = 0)
    {
        byte[] content = [.. Small(), .. new byte[surplus]];
        damage(content);
        var path = Write(content);
        var problem = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path, 3));
        Assert.Contains(what, problem.Message, StringComparison.Ordinal);
    }

    private static byte[] Small() =>
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, .. Enumerable.Range(0, 12).Select(i => (byte)i)];

    private static byte[] Zip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(content);
        return packed.ToArray();
    }

    private string Write(byte[] content, string name = "small")
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
