using Engram.Learning;
using Engram.Persistence;
using Engram.Reporting;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>Pictures of what generators make, one after each experience, in <c>samples/</c> of a run's folder.</summary>
internal static class SampleSheets
{
    private const int Rows = 8;

    /// <summary>Where the pictures of a run are.</summary>
    /// <param name="folder">The run's.</param>
    public static string FolderOf(string folder) => Path.GetFullPath(Path.Combine(folder, "samples"));

    /// <summary>Draws a strategy's samples, a column for each class where the generator can choose classes.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="strategy">The strategy.</param>
    /// <param name="index">Place of the experience that was learnt, from 0.</param>
    /// <param name="stream">What is learnt.</param>
    /// <param name="learner">Has learnt it.</param>
    /// <returns>The file; null where the strategy generates nothing, or no images.</returns>
    public static string? Save(string folder, Strategy strategy, int index, ExperienceStream stream, Learner learner)
    {
        if (stream.Experiences[index].Train.InputShape is not [var channels and (1 or 3), var height, var width]) return null;
        using var scope = TorchSharp.torch.NewDisposeScope();
        if (GeneratedSamples.Of(learner, Rows) is not var (samples, columns) || samples.size(1) != channels * height * width) return null;
        var png = SampleSheet.RenderPng(
            samples.contiguous().data<float>().ToArray(), (int)height, (int)width, (int)channels, columns);
        return AtomicFile.Write(Path.Combine(Directory.CreateDirectory(FolderOf(folder)).FullName, $"{strategy.Name}-{index + 1}.png"), png);
    }
}
