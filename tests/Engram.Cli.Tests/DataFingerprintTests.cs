using Engram.Cli.Experiments;

namespace Engram.Cli.Tests;

/// <summary>Only the files that are read tell data apart.</summary>
public class DataFingerprintTests
{
    [Theory]
    [InlineData("mnist", "train-images-idx3-ubyte.gz train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte")]
    [InlineData("cifar-10", "batches.meta.txt data_batch_1.bin data_batch_2.bin", "test_batch.bin")]
    [InlineData("cifar-100", "fine_label_names.txt train.bin", "test.bin")]
    public void A_data_set_lists_the_files_that_are_read(string name, string training, string test)
    {
        using var folder = new Folder();
        string[] all = [.. training.Split(' '), .. test.Split(' ')];
        foreach (var file in all) File.WriteAllText(folder[file], file);
        var before = Of(folder, name);
        File.WriteAllText(folder["notes.txt"], "mine");
        Directory.CreateDirectory(folder["runs"]);
        File.WriteAllText(folder["runs/train.bin"], "no data");

        Assert.Equal(all.Order(StringComparer.Ordinal), Names(DataSets.Files(name, folder.Path)));
        Assert.Equal(training.Split(' ').Order(StringComparer.Ordinal), Names(DataSets.Files(name, folder.Path, training: true)));
        Assert.Equal(before, Of(folder, name));
        File.WriteAllText(folder[test.Split(' ')[0]], "other");
        Assert.NotEqual(before, Of(folder, name));
    }

    [Fact]
    public void An_archive_is_one_file_and_the_same_wherever_it_is()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["a"]);
        File.WriteAllText(folder["cifar.tar.gz"], "packed");
        File.Copy(folder["cifar.tar.gz"], folder["a/cifar.tar.gz"]);
        Assert.Equal(
            DataFingerprint.Of(folder["cifar.tar.gz"], DataSets.Files("cifar-10", folder["cifar.tar.gz"])),
            DataFingerprint.Of(folder["a/cifar.tar.gz"], DataSets.Files("cifar-10", folder["a/cifar.tar.gz"])));
    }

    [Fact]
    public void Images_count_by_name_and_size_and_only_those_of_a_label()
    {
        using var folder = new Folder();
        foreach (var file in new[] { "train/cat/1.png", "train/dog/2.jpg" }) Write(folder, file, "abc");
        string Now() => DataFingerprint.Of(folder.Path, new DataSection { Source = "images" }.TrainingFiles(folder.Path));
        var before = Now();
        Write(folder, "train/cat/notes.txt", "mine");
        Write(folder, "test/cat/3.png", "abc");
        Write(folder, "train/cat/1.png", "xyz"); // the limit that the guide tells of
        Assert.Equal(before, Now());
        Write(folder, "train/cat/1.png", "longer");
        var longer = Now();
        Assert.NotEqual(before, longer);
        Write(folder, "train/cat/4.png", "abc");
        Assert.NotEqual(longer, Now());
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        using var folder = new Folder();
        var problem = Assert.Throws<InvalidDataException>(() => Of(folder, "mnist"));
        Assert.Contains("t10k-images-idx3-ubyte.gz: no such file", problem.Message, StringComparison.Ordinal);
    }

    private static string Of(Folder folder, string name) => DataFingerprint.Of(folder.Path, DataSets.Files(name, folder.Path));

    private static IEnumerable<string?> Names(IEnumerable<string> files) => files.Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static void Write(Folder folder, string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
        File.WriteAllText(folder[file], text);
    }
}
