using Engram.Data;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using static TorchSharp.torch;

namespace Engram.Tests.Data;

/// <summary>On tiny files in the official layout; a "decoder" gives bytes that tell which file was read.</summary>
public sealed class Core50Tests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-").FullName;

    [Fact]
    public void The_batches_of_a_run_are_those_of_its_lists_and_images_are_read_when_they_are_needed()
    {
        Write("NC_inc", "Run1", [["s1/o1/C_01_01_000.png 0", "s1/o6/C_01_06_000.png 5"], ["s2/o11/C_02_11_004.png 10"]], ["s3/o1/C_03_01_000.png 0", "s3/o11/C_03_11_000.png 10"]);
        var read = new List<string>();
        var files = new Core50(_folder, Core50Protocol.NewClasses, [3, 2, 2], path => Decode(path, read));
        var batches = files.Train(1);
        Assert.Equal([["0", "5"], ["10"]], batches.Select(batch => batch.Labels.Select(label => label.Name)));
        Assert.Equal(2, files.Test(1).Count);
        Assert.Empty(read);

        using var scope = NewDisposeScope();
        var two = batches[0].Gather([1, 0]);
        Assert.Equal([Path.GetFullPath(Path.Combine(_folder, "core50_128x128", "s1", "o6", "C_01_06_000.png")),
            Path.GetFullPath(Path.Combine(_folder, "core50_128x128", "s1", "o1", "C_01_01_000.png"))], read);
        Assert.Equal([2L, 3, 2, 2], two.Inputs.shape);
        Assert.Equal([1L, 0], two.Targets.data<long>().ToArray());
    }

    [Fact]
    public void The_files_that_are_read_are_lists_and_the_images_that_they_name()
    {
        Write("NC_inc", "run0", [["s1/o1/a.png 0"], ["s1/o2/b.png 1"]], ["s3/o1/c.png 0"]);
        Write("NC_inc", "Run1", [["s1/o2/b.png 1"], ["s1/o1/a.png 0"]], ["s3/o1/c.png 0"]);
        Write("NI_inc", "run0", [["s2/o1/d.png 0"]], ["s3/o1/c.png 0"]);
        var names = new Core50(_folder, Core50Protocol.NewClasses, [3, 2, 2], path => Decode(path, [])).Files().Select(Path.GetFileName).ToArray();
        Assert.Equal(["a.png", "b.png", "c.png"], names.Where(name => name!.EndsWith(".png", StringComparison.Ordinal)).Order());
        Assert.Equal(6, names.Count(name => name!.EndsWith("filelist.txt", StringComparison.Ordinal)));
    }

    [Fact]
    public void New_classes_are_tested_by_batch_and_new_instances_on_all()
    {
        string[][] batches = [["s1/o1/C_01_01_000.png 0"], ["s1/o2/C_01_02_000.png 1"]];
        string[] test = ["s3/o1/C_03_01_000.png 0", "s3/o2/C_03_02_000.png 1"];
        foreach (var list in new[] { "NI_inc", "NC_inc", "NIC_inc" }) Write(list, "run0", batches, test);
        foreach (var (name, protocol, counts) in new[]
            { ("core50-ni", Core50Protocol.NewInstances, new[] { 2, 2 }), ("core50-nc", Core50Protocol.NewClasses, [1, 1]), ("core50-nic", Core50Protocol.NewInstancesAndClasses, [1, 1]) })
        {
            var files = new Core50(_folder, protocol, [3, 2, 2], path => Decode(path, []));
            var benchmark = BenchmarkList.Named(name);
            var stream = benchmark.Stream(new TrainAndTest(new Core50Samples(files), files.Test(0)), benchmark.Scenarios[0], seed: 10);
            Assert.Equal(counts, stream.Tests.Select(set => set.Count));
            Assert.Equal(2, stream.Experiences.Count);
        }
    }

    [Fact]
    public void A_method_learns_such_files()
    {
        Write("NC_inc", "run0", [["s1/o1/a.png 0", "s1/o2/b.png 1"], ["s1/o3/c.png 2", "s1/o4/d.png 3"]], ["s3/o1/e.png 0", "s3/o3/f.png 2"]);
        var files = new Core50(_folder, Core50Protocol.NewClasses, [3, 32, 32], path => [.. Enumerable.Repeat((byte)path.Length, 3 * 32 * 32)]);
        var result = BenchmarkList.Named("core50-nc").Run(
            new BenchmarkCell("core50-nc", Scenario.ClassIncremental, "none", 0, Iterations: 1), new TrainAndTest(new Core50Samples(files), files.Test(0)))!;
        Assert.Equal(2, result.Accuracy[^1].Length);
    }

    [Theory]
    [InlineData("s1/o1/a.png", "line 2")]
    [InlineData("s1/o1/a.png 50", "line 2")]
    [InlineData("../../etc/passwd 0", "line 2")]
    [InlineData("/etc/passwd 0", "line 2")]
    public void A_damaged_list_is_named_with_its_line(string line, string said)
    {
        Write("NI_inc", "run0", [["s1/o1/a.png 0", line]], ["s3/o1/a.png 0"]);
        var files = new Core50(_folder, Core50Protocol.NewInstances, [3, 2, 2], _ => []);
        var problem = Assert.Throws<InvalidDataException>(() => files.Train(0)).Message;
        Assert.Contains("train_batch_00_filelist.txt", problem, StringComparison.Ordinal);
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        Assert.Contains("batches_filelists/NI_inc", Missing(), StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(_folder, "batches_filelists", "NI_inc"));
        Assert.Contains("core50_128x128", Missing(), StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(_folder, "core50_32x32", "s1"));
        var files = new Core50(_folder, Core50Protocol.NewInstances, [3, 2, 2], _ => []);
        Assert.Contains("run0", Assert.Throws<InvalidDataException>(() => files.Test(0)).Message, StringComparison.Ordinal);

        string Missing() => Assert.Throws<InvalidDataException>(() => new Core50(_folder, Core50Protocol.NewInstances, [3, 2, 2], _ => [])).Message;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Decode(string path, List<string> read)
    {
        read.Add(path);
        return new byte[12];
    }

    private void Write(string list, string run, string[][] batches, string[] test)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "core50_128x128", "s1"));
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "batches_filelists", list, run)).FullName;
        for (var i = 0; i < batches.Length; i++) File.WriteAllLines(Path.Combine(folder, $"train_batch_{i:00}_filelist.txt"), batches[i]);
        File.WriteAllLines(Path.Combine(folder, "test_filelist.txt"), test);
    }
}
