using Engram.Evaluation;

namespace Engram.Reporting.Tests;

public sealed class ReportWriterTests
{
    [Fact]
    public void Four_files_are_written_and_nothing_else_is_left()
    {
        using var folder = new TemporaryFolder();
        var target = folder.File("new/folder");

        var files = ReportWriter.Write(SampleRuns.Digits(), target);

        Assert.Equal(["results.json", "report.html", "accuracy.png", "matrix.png"], files.Select(Path.GetFileName));
        Assert.All(files, file => Assert.True(new FileInfo(file).Length > 1000 && Path.IsPathFullyQualified(file)));
        Assert.Equal(files.Order(), Directory.GetFiles(target).Order());
    }

    [Fact]
    public void The_results_file_reads_back_as_the_same_run()
    {
        using var folder = new TemporaryFolder();
        var run = SampleRuns.WithHostileLabels();

        ReportWriter.Write(run, folder.Path);

        var read = RunResults.FromJson(File.ReadAllText(folder.File("results.json")));
        Assert.Equal(run.ToJson(), read.ToJson());
        Assert.Equal(run.Started, read.Started);
        Assert.Equal(run.Strategies[1].Accuracy, read.Strategies[1].Accuracy);
    }

    [Fact]
    public void The_same_run_gives_the_same_bytes_and_replaces_an_older_report()
    {
        using var folder = new TemporaryFolder();
        ReportWriter.Write(SampleRuns.Digits(2), folder.Path);
        ReportWriter.Write(SampleRuns.Digits(), folder.Path);
        var first = Directory.GetFiles(folder.Path).Order().Select(File.ReadAllBytes).ToArray();

        ReportWriter.Write(SampleRuns.Digits(), folder.Path);

        Assert.Equal(first, Directory.GetFiles(folder.Path).Order().Select(File.ReadAllBytes));
    }

    [Fact]
    public void Numbers_are_saved_even_when_they_cannot_be_drawn()
    {
        using var folder = new TemporaryFolder();
        var run = SampleRuns.Digits(1);
        var broken = run with { Strategies = [run.Strategies[0] with { Accuracy = [[1.7]] }] };

        Assert.Throws<ArgumentException>(() => ReportWriter.Write(broken, folder.Path));

        Assert.Equal([folder.File("results.json")], Directory.GetFiles(folder.Path));
    }
}
