using System.Text.Json;
using Engram.Persistence;

namespace Engram.Evaluation.Tuning;

/// <summary>Where the continual procedure is, on disk: each attempt's numbers, and the learners that may have to go on.</summary>
internal sealed class TuningPlace
{
    private readonly string _folder;

    public TuningPlace(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _folder = Directory.CreateDirectory(folder).FullName;
        AtomicFile.Sweep(_folder);
    }

    /// <summary>The bundle of the learner that went on from an experience.</summary>
    private string Learnt(int position) => Path.Combine(_folder, $"learnt-{position}");

    /// <summary>The bundle of an attempt's learner.</summary>
    public string Candidate(int position, int number) => Path.Combine(_folder, $"candidate-{position}-{number}");

    /// <summary>Brings a learner to where the one that went on from an experience was.</summary>
    /// <param name="position">The experience.</param>
    /// <param name="restore">Restores from the bundle.</param>
    /// <exception cref="InvalidDataException">The bundle is damaged or gone.</exception>
    public void Restore(int position, Action<string> restore)
    {
        try
        {
            restore(Learnt(position));
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException) // the message begins with the path
        {
            throw new InvalidDataException($"{problem.Message}; without the folder {_folder}, the procedure starts again", problem);
        }
    }

    /// <summary>What an attempt came to before an interruption, or null.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or of an attempt with another rate or strength.</exception>
    public ContinualAttempt? Attempt(int position, int number, double rate, double? strength)
    {
        var path = FileOf(position, number);
        if (!File.Exists(path)) return null;
        try
        {
            var attempt = ResultsJson.Read<ContinualAttempt>(File.ReadAllText(path), "attempt");
            ResultsJson.CheckFractions("new", attempt.New);
            ResultsJson.CheckFractions("old", attempt.Old);
            ResultsJson.CheckSeconds("seconds", attempt.Seconds);
            return (attempt.Position, attempt.Number, attempt.Rate, attempt.Strength) == (position, number, rate, strength)
                ? attempt
                : throw new FormatException("attempt: one with another place, rate or strength");
        }
        catch (FormatException problem)
        {
            throw new InvalidDataException($"{path}: damaged ({problem.Message}), expected an attempt; without the file it is made again", problem);
        }
    }

    /// <summary>Keeps an attempt; its learner was saved before.</summary>
    public void Keep(ContinualAttempt attempt) =>
        AtomicFile.Write(FileOf(attempt.Position, attempt.Number), JsonSerializer.SerializeToUtf8Bytes(attempt, ResultsJson.Options));

    /// <summary>The learner of one attempt goes on; the others are not needed any more.</summary>
    public void Settle(int position, int number)
    {
        if (Directory.Exists(Candidate(position, number)) && !Directory.Exists(Learnt(position)))
            Directory.Move(Candidate(position, number), Learnt(position));
        foreach (var other in Directory.GetDirectories(_folder, $"candidate-{position}-*")) Directory.Delete(other, recursive: true);
        if (position > 0 && Directory.Exists(Learnt(position - 1))) Directory.Delete(Learnt(position - 1), recursive: true);
    }

    private string FileOf(int position, int number) => Path.Combine(_folder, $"attempt-{position}-{number}.json");
}
