using System.Formats.Tar;
using System.IO.Compression;
using Engram.Data;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Data;

/// <summary>The binary versions as their authors pack them: rows of labels and 3,072 pixels, in a folder or an archive.</summary>
public class CifarTests
{
    private const int Pixels = 3 * 32 * 32;

    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(100, false)]
    [InlineData(100, true)]
    public void Pixels_fine_labels_and_names_are_read_from_a_folder_and_an_archive(int classes, bool packed)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, classes, packed);

        var cifar = classes == 10 ? Cifar.Load10(path) : Cifar.Load100(path);

        Assert.Equal((2 * classes, classes), (cifar.Train.Count, cifar.Test.Count));
        Assert.Equal(Enumerable.Range(0, classes).Select(code => $"name {code}"), cifar.Train.Labels.ToArray().Select(label => label.Name));
        Assert.Equal(Enumerable.Range(0, 2 * classes).Select(row => row % classes), cifar.Train.Codes.ToArray());
        using var scope = NewDisposeScope();
        var images = cifar.Train.Gather([classes + 3]).Inputs;
        Assert.Equal([1L, 3, 32, 32], images.shape);
        Assert.Equal(Image(classes + 3), images.data<byte>().ToArray());
        // Red, then green, then blue, each row by row.
        Assert.Equal(Image(classes + 3)[(2 * 1024) + (5 * 32) + 7], images[0, 2, 5, 7].item<byte>());
        Assert.Equal(Image(1000 + 4), cifar.Test.Samples.Gather([4]).Inputs.data<byte>().ToArray());
        Assert.Equal(2 * classes, Cifar.LoadTraining(path, classes).Count);
    }

    [Theory]
    [InlineData("split-cifar10", 10, 5, false)]
    [InlineData("split-cifar10", 10, 5, true)]
    [InlineData("split-cifar100", 100, 10, false)]
    [InlineData("split-cifar100", 100, 10, true)]
    public void Split_Cifar_runs_on_files_in_the_official_layout(string name, int classes, int contexts, bool packed)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, classes, packed);
        var cifar = classes == 10 ? Cifar.Load10(path) : Cifar.Load100(path);

        var result = BenchmarkList.Named(name).Run(
            new BenchmarkCell(name, Scenario.ClassIncremental, "none", 1, Iterations: 1), new TrainAndTest(cifar.Train, cifar.Test))!;

        Assert.Equal(contexts, result.Accuracy[^1].Length);
        Assert.Equal(classes, result.Confusion.Length);
    }

    [Fact]
    public void A_file_cut_short_is_named()
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, 100, packed: false);
        File.WriteAllBytes(Path.Combine(path, "test.bin"), new byte[Pixels]);
        Assert.Equal($"{path}: test.bin has 3072 bytes, expected a multiple of 3074", Assert.Throws<InvalidDataException>(() => Cifar.Load100(path)).Message);
    }

    private static string Write(TemporaryFolder folder, int classes, bool packed)
    {
        var inside = classes == 10 ? "cifar-10-batches-bin" : "cifar-100-binary";
        var path = Directory.CreateDirectory(folder[inside]).FullName;
        // Two training samples of each class, the second in a batch of its own where there are several, and one test sample.
        if (classes == 10)
            for (var batch = 0; batch < 2; batch++) Rows($"data_batch_{batch + 1}.bin", batch * classes, classes);
        else Rows("train.bin", 0, 2 * classes);
        Rows(classes == 10 ? "test_batch.bin" : "test.bin", 1000, classes);
        File.WriteAllText(
            Path.Combine(path, classes == 10 ? "batches.meta.txt" : "fine_label_names.txt"),
            string.Concat(Enumerable.Range(0, classes).Select(code => $"name {code}\n")) + "\n");
        if (classes == 100) File.WriteAllText(Path.Combine(path, "coarse_label_names.txt"), "coarse\n");
        if (!packed) return path;
        var archive = folder[$"{inside}.tar.gz"];
        using var zipped = new GZipStream(File.Create(archive), CompressionMode.Compress);
        TarFile.CreateFromDirectory(path, zipped, includeBaseDirectory: true);
        return archive;

        void Rows(string file, int first, int count) => File.WriteAllBytes(
            Path.Combine(path, file),
            [.. Enumerable.Range(first, count).SelectMany(row => (byte[])[.. Labels(row % classes), .. Image(row)])]);

        // CIFAR-100 has a coarse label first, which is not what is learnt.
        byte[] Labels(int code) => classes == 10 ? [(byte)code] : [(byte)(19 - (code / 5)), (byte)code];
    }

    private static byte[] Image(int row) => [.. Enumerable.Range(0, Pixels).Select(i => (byte)((i * 7) + (i / 1024) + (row * 13)))];
}
