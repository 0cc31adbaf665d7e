using System.Diagnostics;
using Engram.Cli.Commands;
using Engram.Cli.Experiments;

namespace Engram.Cli.Tests;

/// <summary>Every data set is looked for in the same places, and a missing one comes with the page that has it.</summary>
public class DataSetsTests
{
    [Theory]
    [InlineData("cifar-10", "cifar-10-binary.tar.gz")]
    [InlineData("cifar-10", "cifar-10-batches-bin.tar.gz")]
    [InlineData("cifar-10", "cifar-10/cifar-10-binary.tar.gz")]
    [InlineData("cifar-100", "cifar-100-binary.tar.gz")]
    [InlineData("core50", "core50")]
    [InlineData("mnist", "mnist")]
    public void A_data_set_is_found_here_then_above_then_where_the_variable_says(string name, string file)
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["tool"]);
        var here = Directory.CreateDirectory(folder["above/here"]).FullName;
        string? Found(string? variable = null)
        {
            var places = DataFolder.Places(here, folder["tool"], variable);
            return name == "mnist" ? DataFolder.Mnist(places) : DataSets.FindIn(name, places);
        }
        string[] places = ["variable", "tool/data", "above/data", "above/here/data"];

        Assert.Null(Found());
        foreach (var place in places)
        {
            var path = folder[$"{place}/{file}"];
            Directory.CreateDirectory(file.EndsWith(".gz", StringComparison.Ordinal) ? Path.GetDirectoryName(path)! : path);
            if (name == "mnist") File.WriteAllText(Path.Combine(path, "train-images-idx3-ubyte.gz"), "");
            else if (name != "core50") File.WriteAllText(path, "");
            Assert.Equal(path, Found(folder["variable"]));
        }
        Directory.Delete(folder["above"], recursive: true);
        Assert.Equal(folder[$"tool/data/{file}"], Found());
    }

    [Theory]
    [InlineData("cifar-10", "cifar-10-binary.tar.gz or cifar-10-batches-bin.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar.html")]
    [InlineData("cifar-100", "cifar-100-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar.html")]
    [InlineData("core50", "batches_filelists.zip", "https://vlomonaco.github.io/core50")]
    public void Data_that_are_not_where_the_user_says_are_told_with_where_to_get_them(string name, string file, string page)
    {
        var problem = Assert.Throws<UsageException>(() => DataSets.Find(name, "/nowhere/data"));
        Assert.StartsWith("--data: \"/nowhere/data\" is not there, expected ", problem.Message, StringComparison.Ordinal);
        Assert.Contains(file, problem.Message, StringComparison.Ordinal);
        Assert.EndsWith($"from {page}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_are_nowhere_are_told_with_where_they_were_looked_for_and_where_to_get_them()
    {
        using var folder = new Folder();
        var info = Terminal.Info(Terminal.Program, folder.Path, "bench", "split-cifar100");
        info.Environment[DataFolder.Variable] = folder.Path;
        using var process = Process.Start(info)!;
        var line = process.StandardError.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(ExitCode.Usage, process.ExitCode);
        Assert.Equal("engram: --data: no cifar-100 found in data/ here or above, or in the folder that ENGRAM_DATA names, expected the archive "
            + "cifar-100-binary.tar.gz or a folder with its files, from https://www.cs.toronto.edu/~kriz/cifar.html, or --data PATH\n", line);
    }

    [Fact]
    public void A_folder_without_the_files_is_told_with_where_to_get_them()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["empty"]);
        var outcome = Terminal.Run(
            "bench", "split-cifar10", "--scenario", "class", "--methods", "none", "--seeds", "1", "--data", folder["empty"], "--out", folder["out"]);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Equal($"engram: {folder["empty"]}: no data_batch_, expected the binary version of CIFAR (https://www.cs.toronto.edu/~kriz/cifar.html)",
            Assert.Single(outcome.ErrorLines));
    }
}
