// SPDX-License-Identifier: MIT
/*
 * Files to documents, and the life of a configuration. What the file held is
 * wiped on the way out: it may contain the secret key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_walk.h"

#define FILE_MAX	(1024 * 1024)

struct fips_config *fips_config_new(void)
{
	struct fips_config *cfg = calloc(1, sizeof(*cfg));

	if (!cfg)
		return NULL;
	fips_node_timing_defaults(&cfg->timing);
	if (cfg_marks_new(cfg) || cfg_defaults(&fips_cfg_root, cfg)) {
		fips_config_free(cfg);
		return NULL;
	}
	return cfg;
}

void fips_config_free(struct fips_config *cfg)
{
	if (!cfg)
		return;
	cfg_release(&fips_cfg_root, cfg);
	cfg_marks_free(cfg);
	free(cfg->dir);
	free(cfg);
}

void fips_config_wipe_secrets(struct fips_config *cfg)
{
	cfg_wipe_string(&cfg->nsec);
}

static void document_wipe(yaml_document_t *doc)
{
	yaml_node_t *node;

	for (node = doc->nodes.start; node < doc->nodes.top; node++)
		if (node->type == YAML_SCALAR_NODE)
			explicit_bzero(node->data.scalar.value, node->data.scalar.length);
	yaml_document_delete(doc);
}

static void parser_wipe(yaml_parser_t *parser)
{
	if (parser->buffer.start)
		explicit_bzero(parser->buffer.start,
			       (size_t)(parser->buffer.end - parser->buffer.start));
	if (parser->raw_buffer.start)
		explicit_bzero(parser->raw_buffer.start,
			       (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	yaml_parser_delete(parser);
}

static void syntax_error(const yaml_parser_t *parser, const char *file, struct fips_report *rep)
{
	struct fips_cfg_mark at = {
		.file = file,
		.line = (unsigned int)parser->problem_mark.line + 1,
		.col = (unsigned int)parser->problem_mark.column + 1,
	};

	if (parser->error == YAML_READER_ERROR) {
		at.line = (unsigned int)parser->mark.line + 1;
		at.col = (unsigned int)parser->mark.column + 1;
	}
	fips_report_add(rep, FIPS_REPORT_ERROR, &at, NULL, "not YAML: %s%s%s",
			parser->problem ? parser->problem : "cannot be parsed",
			parser->context ? " " : "", parser->context ? parser->context : "");
}

/* Only one document a file. */
static int expect_end(yaml_parser_t *parser, const char *file, struct fips_report *rep)
{
	struct fips_cfg_mark at = { .file = file };
	yaml_document_t more;
	bool end;

	if (!yaml_parser_load(parser, &more)) {
		syntax_error(parser, file, rep);
		return -EINVAL;
	}
	end = !yaml_document_get_root_node(&more);
	at.line = (unsigned int)more.start_mark.line + 1;
	at.col = (unsigned int)more.start_mark.column + 1;
	document_wipe(&more);
	if (end)
		return 0;
	fips_report_add(rep, FIPS_REPORT_ERROR, &at, NULL,
			"a second YAML document starts here; only one is allowed");
	return -EINVAL;
}

static int load_document(struct fips_config *cfg, const char *file, yaml_parser_t *parser,
			 struct fips_report *rep)
{
	struct cfg_walk *w = calloc(1, sizeof(*w));
	size_t errors = rep->errors;
	yaml_document_t doc;
	int ret = 0;

	if (!w)
		return -ENOMEM;
	if (!yaml_parser_load(parser, &doc)) {
		syntax_error(parser, file, rep);
		free(w);
		return -EINVAL;
	}
	if (yaml_document_get_root_node(&doc)) {
		w->cfg = cfg;
		w->rep = rep;
		w->doc = &doc;
		w->file = file;
		ret = expect_end(parser, file, rep);
		cfg_walk_document(w);
	}
	document_wipe(&doc);
	free(w);
	return ret ? ret : rep->errors > errors ? -EINVAL : 0;
}

int fips_config_load_text(struct fips_config *cfg, const char *name, const char *text, size_t len,
			  struct fips_report *rep)
{
	const char *file = cfg_marks_file(cfg, name);
	yaml_parser_t parser;
	int ret;

	if (!file || !yaml_parser_initialize(&parser)) {
		fips_report_add(rep, FIPS_REPORT_ERROR, NULL, NULL, "out of memory");
		return -ENOMEM;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	ret = load_document(cfg, file, &parser, rep);
	parser_wipe(&parser);
	return ret;
}

/* Whole file into @buf (FILE_MAX + 1 bytes). Length or negative errno. */
static ssize_t read_whole(const char *path, char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + have, FILE_MAX + 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		have += (size_t)n;
	} while (n && have <= FILE_MAX);
	if (n < 0)
		n = -errno;
	else
		n = have > FILE_MAX ? -EFBIG : (ssize_t)have;
	close(fd);
	return n;
}

int fips_config_load(struct fips_config *cfg, const char *path, struct fips_report *rep)
{
	char *buf = malloc(FILE_MAX + 1);
	ssize_t len;
	int ret;

	if (!buf)
		return -ENOMEM;
	len = read_whole(path, buf);
	if (len < 0) {
		fips_report_add(rep, FIPS_REPORT_ERROR, NULL, NULL, "cannot read %s: %s", path,
				strerror((int)-len));
		free(buf);
		return (int)len;
	}
	ret = fips_config_load_text(cfg, path, buf, (size_t)len, rep);
	explicit_bzero(buf, (size_t)len);
	free(buf);
	return ret;
}
