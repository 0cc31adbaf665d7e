using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Faults;

/// <summary>The learner that is killed and its endless stream, the same in the program and in the test.</summary>
public static class Recipe
{
    public static Learner Learner(string folder)
    {
        Func<ContinualModel> model = () => new ContinualModel(new Mlp(64, 128));
        var options = new LearnerOptions { BatchSize = 8 };
        RetentionMechanism[] mechanisms = [new Replay(new ReplayOptions { Capacity = 50 })];
        return File.Exists(Path.Combine(folder, "manifest.json"))
            ? Bundle.Load(folder, model, options, mechanisms)
            : new Learner(model, options, mechanisms);
    }

    public static Experience Experience(int index)
    {
        var random = new SeededRandom(index, "faults");
        var bytes = new byte[16 * 64];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)random.Next(256);
        Label label = index % 20; // the head grows while it is new
        return new Experience(index, TensorSource.OfClasses(
            tensor(bytes).view(16, 64), [.. Enumerable.Repeat(label, 16)]));
    }
}
