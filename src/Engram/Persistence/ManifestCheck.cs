namespace Engram.Persistence;

/// <summary>What must hold inside a manifest, whatever its parts say.</summary>
internal static class ManifestCheck
{
    public static void Check(BundleManifest manifest, string file)
    {
        void Expect(bool holds, string what)
        {
            if (!holds) throw new InvalidDataException($"{file}: {what}");
        }

        Expect(manifest.Classes.All(c => c is not null) && manifest.Mechanisms.All(m => m is not null)
            && manifest.Parts.All(p => p is not null) && manifest.Optimizer.Moments.All(m => m is not null) && manifest.Lineage.History?.Any(part => part is null) != true,
            "null in a list, expected values");
        var (model, learner, classes) = (manifest.Model, manifest.Learner, manifest.Classes);
        Expect(model.Features > 0, $"model.features: {model.Features}, expected 1 or more");
        Expect(model.Growth.All(rows => rows > 0) && model.Growth.Sum(rows => (long)rows) == classes.Count,
            $"model.growth: [{string.Join(", ", model.Growth.Take(20))}], expected positive numbers that sum to the {classes.Count} classes");
        Expect(classes.Distinct().Count() == classes.Count, "classes: a label occurs twice in one task, expected once");
        Expect(classes.All(c => c.Task is null or >= 0), "classes: a negative task, expected 0 or more");
        Expect(learner.InputType is null or ScalarType.Byte or ScalarType.Float32, $"learner.inputType: {learner.InputType}, expected byte or float32");
        Expect(learner.InputShape is not { } shape || IsShape(shape),
            $"learner.inputShape: expected a shape of at most {int.MaxValue} numbers");
        Expect(learner.Learnt.All(index => index >= 0) && learner.Learnt.Distinct().Count() == learner.Learnt.Count,
            "learner.learnt: expected different numbers from 0");
        Expect(learner.Completed == learner.Learnt.Count,
            $"learner.completed: {learner.Completed}, expected {learner.Learnt.Count}, the number learnt");
        Expect(learner.KnownBefore >= 0 && learner.KnownBefore <= classes.Count,
            $"learner.knownBefore: {learner.KnownBefore}, expected 0 to {classes.Count}");
        Expect(learner.Cursor is not { } cursor || (cursor.Step >= 0 && cursor.Experience >= 0 && !learner.Learnt.Contains(cursor.Experience)),
            $"learner.cursor: {learner.Cursor}, expected an experience not yet learnt");
        Expect(learner.Cursor is not { } at || (at.Ended >= 0 && at.Ended <= manifest.Mechanisms.Count),
            $"learner.cursor.ended: {learner.Cursor?.Ended}, expected 0 to {manifest.Mechanisms.Count}");
        Expect(learner.Tally is not { } tally || (learner.Cursor is not null && tally.Seconds >= 0
            && new[] { tally.Samples, tally.Steps, tally.EpochSteps }.All(count => count >= 0)),
            $"learner.tally: {learner.Tally}, expected counts from 0, with a cursor");
        Expect(manifest.Optimizer.Steps >= 0, $"optimizer.steps: {manifest.Optimizer.Steps}, expected 0 or more");
        Expect(double.IsFinite(manifest.Optimizer.LearningRate) && manifest.Optimizer.LearningRate >= 0,
            $"optimizer.learningRate: {manifest.Optimizer.LearningRate}, expected 0 or more");
        Expect(manifest.Parts.Select(part => part.Name).Distinct().Count() == manifest.Parts.Count,
            "parts: a name occurs twice, expected once");
        Expect(new[] { "backbone", "head", "random" }.All(name => manifest.Parts.Any(part => part.Name == name)),
            $"parts: {string.Join(", ", manifest.Parts.Select(part => part.Name))}, expected backbone, head and random among them");
        var known = manifest.Mechanisms.Select(m => $"mechanism/{m.Name}").Concat(["backbone", "head", "optimizer", "random", "best"]).ToHashSet();
        foreach (var part in manifest.Parts)
            Expect(known.Contains(part.Name), $"parts: {part.Name}, expected one of {string.Join(", ", known)}");
    }

    /// <summary>Whether these sizes can be those of one sample.</summary>
    public static bool IsShape(IReadOnlyList<long> sizes) =>
        sizes.Count < 32 && sizes.All(size => size >= 0) && sizes.Aggregate((Int128)1, Times) <= int.MaxValue;

    // Stays above the limit once it is there, and so cannot overflow.
    private static Int128 Times(Int128 product, long size) => product > int.MaxValue ? product : product * Math.Max(size, 1);
}
